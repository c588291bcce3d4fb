import { open } from 'node:fs/promises';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';

export type ArchiveFormat = 'tar' | 'tar.gz' | 'zip';

/** One tar block; all marks lie within it. */
const HEAD_BYTES = 512;
/** Where a tar header says `ustar`, in POSIX and GNU archives alike. */
const USTAR_OFFSET = 257;

/**
 * Tells an archive's format by its content, whatever it is called.
 * @param head its first bytes, 512 if it has as many
 * @throws PackageError when it is none that we unpack
 */
export function detectFormat(head: Buffer): ArchiveFormat {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'tar.gz';
  // PKZIP APPNOTE 4.3: a local file header, or the end record of an archive without entries.
  const zipMark = head.toString('latin1', 0, 4);
  if (zipMark === 'PK\x03\x04' || zipMark === 'PK\x05\x06') return 'zip';
  if (head.toString('latin1', USTAR_OFFSET, USTAR_OFFSET + 5) === 'ustar') return 'tar';
  // A tar without entries begins with its end mark.
  if (head.length === HEAD_BYTES && head.every((byte) => byte === 0)) return 'tar';
  throw new PackageError({ what: 'not an archive: expected .tar, .tar.gz/.tgz or .zip' });
}

/** Reads the bytes that {@link detectFormat} wants. */
export async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
