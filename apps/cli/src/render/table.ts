/** Columns as wide as their widest cell; the last one is never padded. Empty and absent cells show as `-`. */
export function table(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => (cell === null || cell === '' ? '-' : cell)));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))))
    .map((line) => line.join('  '))
    .join('\n');
}
