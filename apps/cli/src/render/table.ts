/** A text; absent is null, or `{}` as answers have it. */
export type Cell = string | Record<string, never> | null;

/** Columns as wide as their widest cell; the last one is never padded. Empty and absent cells show as `-`. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => (typeof cell !== 'string' || cell === '' ? '-' : cell)));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))))
    .map((line) => line.join('  '))
    .join('\n');
}
