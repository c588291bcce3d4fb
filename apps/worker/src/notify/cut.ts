/** Cuts a text to a number of bytes in UTF-8, never through a character, and shows that it did. */
export function cutBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const mark = '…';
  const bytes = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength(mark));
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}${mark}`;
}
