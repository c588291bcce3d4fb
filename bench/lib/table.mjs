/** Markdown tables, padded so that they read well in a terminal too. */

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table(head, rows) {
  const widths = head.map((title, at) => Math.max(...[title, ...rows.map((row) => row[at] ?? '')].map(width)));
  const line = (cells) => `| ${cells.map((cell, at) => pad(cell ?? '', widths[at])).join(' | ')} |`;
  return [line(head), line(widths.map((count) => '-'.repeat(count))), ...rows.map(line)].join('\n');
}

const width = (text) => [...text].length;
const pad = (text, to) => text + ' '.repeat(to - width(text));

/** `met` or `missed`, for a figure that must not be larger than its target. */
export function verdict(value, atMost) {
  if (atMost === undefined) return '';
  if (!Number.isFinite(value)) return 'not measured';
  return value <= atMost ? 'met' : 'missed';
}
