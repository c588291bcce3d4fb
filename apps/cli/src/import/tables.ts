/** Rows of an export, by table. A value is text as the database would print it, or null. */

export type Row = Readonly<Record<string, string | null>>;

export interface Tables {
  rows: Map<string, Row[]>;
  /** What could not be read, for people. */
  problems: string[];
}

export function addRow(tables: Tables, table: string, row: Row): void {
  tables.rows.set(table, [...(tables.rows.get(table) ?? []), row]);
}
