import { z } from 'zod';
import { addRow, type Row, type Tables } from './tables.js';

const rowSchema = z.record(z.string(), z.unknown());
const rowsSchema = z.array(rowSchema);
/** As phpMyAdmin exports a database. */
const tableSchema = z.looseObject({ type: z.literal('table'), name: z.string(), data: rowsSchema });

export const INVENTORY = 'pre_server_detail';
export const BATCHES = 'load_key_sorts';

/**
 * Reads rows of a JSON export: that of phpMyAdmin, an object with a list of rows for each table, or a plain list of rows,
 * whose tables are told by their columns.
 * @throws SyntaxError when it is none of these
 */
export function readJson(text: string): Tables {
  const document: unknown = JSON.parse(text);
  const tables: Tables = { rows: new Map(), problems: [] };
  const add = (table: string, rows: readonly Record<string, unknown>[]): void => {
    for (const row of rows) addRow(tables, table, asRow(row));
  };
  if (Array.isArray(document)) {
    for (const entry of document) {
      const table = tableSchema.safeParse(entry);
      const row = rowSchema.safeParse(entry);
      if (table.success) add(table.data.name, table.data.data);
      else if (!row.success) tables.problems.push(`an entry of the list is no row: ${shown(entry)}`);
      else if ('app_key_sort' in row.data) add(BATCHES, [row.data]);
      else if ('app_key' in row.data) add(INVENTORY, [row.data]);
      // The heading and the name of the database in an export of phpMyAdmin.
      else if (!['header', 'database'].includes(String(row.data.type))) {
        tables.problems.push(`a row has neither app_key nor app_key_sort: ${shown(entry)}`);
      }
    }
    return tables;
  }
  const byTable = z.record(z.string(), rowsSchema).safeParse(document);
  if (!byTable.success) throw new SyntaxError('expected lists of rows: [{…}] or {"pre_server_detail": [{…}], …}');
  for (const [table, rows] of Object.entries(byTable.data)) add(table, rows);
  return tables;
}

const asRow = (row: Record<string, unknown>): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)]));

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Only keys: a value may be a secret. */
const shown = (entry: unknown): string =>
  entry !== null && typeof entry === 'object' ? `{${Object.keys(entry).join(', ')}}` : typeof entry;
