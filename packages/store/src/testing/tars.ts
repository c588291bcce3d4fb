import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';

export type TarPart = Partial<Header> & { name: string; body?: string | Buffer };

/** A tar with exactly these entries, however odd. */
export async function tarOf(...parts: readonly TarPart[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of parts) {
    if (body === undefined) archive.entry(header);
    else archive.entry(header, body);
  }
  archive.finalize();
  return buffer(archive);
}

/** Changes bytes of one header and puts its checksum right again. */
export function patchHeader(tar: Buffer, headerOffset: number, fieldOffset: number, bytes: string): Buffer {
  const patched = Buffer.from(tar);
  const header = patched.subarray(headerOffset, headerOffset + 512);
  header.write(bytes, fieldOffset, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return patched;
}
