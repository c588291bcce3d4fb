/**
 * Reads the beginning of an HTTP answer's body as text, and leaves the rest where it is: whoever answers without end must
 * not fill our memory.
 * @param maxBytes read at least so far where there is as much; what comes on top with the last piece is cut off
 */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes).toString('utf8');
}
