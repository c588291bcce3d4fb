import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** Contents up to this long are kept in memory and written in one go; longer ones are written in pieces of it. */
export const CONTENT_BUFFER_BYTES = 1024 * 1024;

/** Either the whole content, when it is short, or the digest of what now stands in the file. */
export type WrittenContent =
  | { readonly buffered: Buffer }
  | { readonly buffered?: undefined; readonly sha256: string; readonly size: number };

/**
 * Takes a content in. Makes the file only for a content longer than {@link CONTENT_BUFFER_BYTES}.
 * @param path a file that does not exist yet; the caller removes it when this throws
 * @param mode permission bits of the file
 */
export async function writeContent(
  content: AsyncIterable<Uint8Array>,
  path: string,
  mode: number,
): Promise<WrittenContent> {
  const hash = createHash('sha256');
  let file: FileHandle | undefined;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let size = 0;
  const flush = async (): Promise<void> => {
    file ??= await open(path, 'wx', mode);
    for (const chunk of waiting) hash.update(chunk);
    await writeAll(file, waiting, waitingBytes);
    size += waitingBytes;
    waiting = [];
    waitingBytes = 0;
  };
  try {
    for await (const chunk of content) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes > CONTENT_BUFFER_BYTES) await flush();
    }
    if (file === undefined) return { buffered: Buffer.concat(waiting) };
    await flush();
    return { sha256: hash.digest('hex'), size };
  } finally {
    await file?.close();
  }
}

async function writeAll(file: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  if (bytes === 0) return;
  const { bytesWritten } = await file.writev(chunks);
  // A short write is rare (a disk that is filling up); the rest then goes out as one piece or fails with the reason.
  if (bytesWritten < bytes) await file.writeFile(Buffer.concat(chunks).subarray(bytesWritten));
}
