import { tellable } from './notes.js';
import { sqlTokens, type Token } from './sql-tokens.js';
import { addRow, type Row, type Tables } from './tables.js';

/** Begin an entry of `CREATE TABLE` that is no column. */
const NO_COLUMN = new Set([
  'primary',
  'key',
  'unique',
  'index',
  'constraint',
  'fulltext',
  'spatial',
  'foreign',
  'check',
]);
/** Stand between `INSERT` and the table. */
const BEFORE_TABLE = new Set(['into', 'ignore', 'low_priority', 'delayed', 'high_priority']);

/** Reads the rows of a mysqldump. What is no `CREATE TABLE` and no `INSERT … VALUES` is passed over. */
export function readDump(sql: string): Tables {
  const tables: Tables = { rows: new Map(), problems: [] };
  const columns = new Map<string, string[]>();
  for (const statement of statementsOf(sql)) {
    const first = wordAt(statement, 0);
    if (first === 'create' && wordAt(statement, 1) === 'table') readCreate(statement, columns);
    else if (first === 'insert' || first === 'replace') readInsert(statement, columns, tables);
  }
  return tables;
}

function* statementsOf(sql: string): Generator<Token[], void, undefined> {
  let statement: Token[] = [];
  for (const token of sqlTokens(sql)) {
    if (token.kind !== 'mark' || token.text !== ';') statement.push(token);
    else {
      if (statement.length > 0) yield statement;
      statement = [];
    }
  }
  if (statement.length > 0) yield statement;
}

const wordAt = (tokens: readonly Token[], at: number): string => {
  const token = tokens[at];
  return token?.kind === 'word' ? token.text.toLowerCase() : '';
};
const isMark = (token: Token | undefined, text: string): boolean => token?.kind === 'mark' && token.text === text;

/** A table's name without its database, and what comes after it: `db`.`table`, db.table or `table`. */
function tableAt(tokens: readonly Token[], start: number): { table: string; next: number } {
  let [table, next] = [lastPart(tokens[start]), start + 1];
  // Between two names in backticks the dot is a word of its own.
  if (wordAt(tokens, next) === '.') [table, next] = [lastPart(tokens[next + 1]), next + 2];
  return { table, next };
}

const lastPart = (token: Token | undefined): string =>
  token?.kind === 'word' ? (token.text.split('.').at(-1) ?? '') : (token?.text ?? '');

function readCreate(tokens: readonly Token[], columns: Map<string, string[]>): void {
  let at = 2;
  while (['if', 'not', 'exists'].includes(wordAt(tokens, at))) at += 1;
  const { table, next } = tableAt(tokens, at);
  if (!isMark(tokens[next], '(')) return;
  const names: string[] = [];
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (index < next) continue;
    const begins = depth === 1 && (isMark(tokens[index - 1], ',') || index === next + 1);
    if (begins && (token.kind !== 'word' || !NO_COLUMN.has(token.text.toLowerCase()))) names.push(token.text);
    if (isMark(token, '(')) depth += 1;
    if (isMark(token, ')')) depth -= 1;
    if (depth === 0) break;
  }
  columns.set(table, names);
}

function readInsert(tokens: readonly Token[], columns: ReadonlyMap<string, string[]>, tables: Tables): void {
  let at = 1;
  while (BEFORE_TABLE.has(wordAt(tokens, at))) at += 1;
  const { table, next } = tableAt(tokens, at);
  at = next;
  let names = columns.get(table);
  if (isMark(tokens[at], '(')) {
    const end = tokens.findIndex((token, index) => index > at && isMark(token, ')'));
    names = tokens.slice(at + 1, end).flatMap((token) => (token.kind === 'mark' ? [] : [token.text]));
    at = end + 1;
  }
  if (!['values', 'value'].includes(wordAt(tokens, at))) {
    tables.problems.push(`an INSERT into ${table} without VALUES was not read`);
    return;
  }
  if (names === undefined) {
    tables.problems.push(`rows of ${table} were not read: neither the INSERT nor a CREATE TABLE tells their columns`);
    return;
  }
  for (at += 1; isMark(tokens[at], '('); at += isMark(tokens[at + 1], ',') ? 2 : 1) {
    const end = endOfRow(tokens, at);
    const values = valuesOf(tokens.slice(at + 1, end));
    if (values.length === names.length) addRow(tables, table, rowOf(names, values));
    else {
      const first = tellable(names[0] ?? '', values[0] ?? 'NULL');
      const told = `${values.length} values for ${names.length} columns, beginning with ${first}`;
      tables.problems.push(`a row of ${table} was not read: ${told}`);
    }
    at = end;
  }
}

function endOfRow(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let at = start; at < tokens.length; at += 1) {
    if (isMark(tokens[at], '(')) depth += 1;
    if (isMark(tokens[at], ')')) depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}

function valuesOf(tokens: readonly Token[]): (string | null)[] {
  const values: (string | null)[] = [];
  let part: Token[] = [];
  let depth = 0;
  for (const token of [...tokens, { kind: 'mark', text: ',' } satisfies Token]) {
    if (isMark(token, '(')) depth += 1;
    if (isMark(token, ')')) depth -= 1;
    if (depth > 0 || !isMark(token, ',')) part.push(token);
    else {
      values.push(readValue(part));
      part = [];
    }
  }
  return values;
}

/** One value: `'text'`, `_utf8'text'`, `0x41`, `x'41'`, `-1.5`, `NULL`, or a call that is kept as it is written. */
function readValue(tokens: readonly Token[]): string | null {
  const [first, second] = tokens;
  if (first?.kind === 'string' && tokens.length === 1) return first.text;
  if (first?.kind === 'word' && second?.kind === 'string') {
    return first.text.toLowerCase() === 'x' ? fromHex(second.text) : second.text;
  }
  if (first?.kind === 'word' && tokens.length === 1) {
    if (first.text.toLowerCase() === 'null') return null;
    return /^0x[0-9a-f]*$/i.test(first.text) ? fromHex(first.text.slice(2)) : first.text;
  }
  return tokens.map(({ text }) => text).join('');
}

const fromHex = (digits: string): string => Buffer.from(digits, 'hex').toString('utf8');

const rowOf = (names: readonly string[], values: readonly (string | null)[]): Row =>
  Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
