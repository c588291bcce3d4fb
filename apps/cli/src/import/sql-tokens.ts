/** The words of a mysqldump, as far as `CREATE TABLE` and `INSERT` need them. */

export type Token =
  /** A bare word or a number; compared without case. */
  | { kind: 'word'; text: string }
  /** A name in backticks. */
  | { kind: 'name'; text: string }
  | { kind: 'string'; text: string }
  | { kind: 'mark'; text: string };

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };
const SPACE = /\s/;
const WORD = /[^\s'"`(),;=]/;

/** Reads tokens one by one; comments, also those that only some servers obey, are passed over. */
export function* sqlTokens(sql: string): Generator<Token, void, undefined> {
  let at = 0;
  while (at < sql.length) {
    const char = sql[at] ?? '';
    const end = commentEnd(sql, at);
    if (end !== undefined) at = end;
    else if (SPACE.test(char)) at += 1;
    else if (char === "'" || char === '"') {
      const read = readString(sql, at, char);
      yield { kind: 'string', text: read.text };
      at = read.end;
    } else if (char === '`') {
      const read = readName(sql, at);
      yield { kind: 'name', text: read.text };
      at = read.end;
    } else if (!WORD.test(char)) {
      yield { kind: 'mark', text: char };
      at += 1;
    } else {
      const start = at;
      while (at < sql.length && WORD.test(sql[at] ?? '')) at += 1;
      yield { kind: 'word', text: sql.slice(start, at) };
    }
  }
}

/** Where a comment that begins here ends; undefined where none does. */
function commentEnd(sql: string, at: number): number | undefined {
  if (sql.startsWith('/*', at)) {
    const end = sql.indexOf('*/', at + 2);
    return end < 0 ? sql.length : end + 2;
  }
  // Two dashes begin a comment only before a space: `1--1` is a number less a number.
  const isLine = sql[at] === '#' || (sql.startsWith('--', at) && /\s|^$/.test(sql[at + 2] ?? ''));
  if (!isLine) return undefined;
  const end = sql.indexOf('\n', at);
  return end < 0 ? sql.length : end + 1;
}

function readString(sql: string, start: number, quote: string): { text: string; end: number } {
  let text = '';
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql[at] ?? '';
    if (char === '\\') {
      const next = sql[at + 1] ?? '';
      // `\%` and `\_` keep their backslash: they are for patterns.
      text += ESCAPES[next] ?? (next === '%' || next === '_' ? `\\${next}` : next);
      at += 1;
    } else if (char !== quote) text += char;
    else if (sql[at + 1] === quote) {
      text += quote;
      at += 1;
    } else return { text, end: at + 1 };
  }
  throw new SyntaxError(`a text that begins at character ${start} has no end`);
}

function readName(sql: string, start: number): { text: string; end: number } {
  let end = sql.indexOf('`', start + 1);
  while (end >= 0 && sql[end + 1] === '`') end = sql.indexOf('`', end + 2);
  if (end < 0) throw new SyntaxError(`a name that begins at character ${start} has no end`);
  return { text: sql.slice(start + 1, end).replaceAll('``', '`'), end: end + 1 };
}
