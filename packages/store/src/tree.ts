import { Readable } from 'node:stream';
import { ContentSink } from './archive/content-sink.js';
import { readTar } from './archive/read-tar.js';
import type { TarEntry } from './archive/tar-entry.js';
import type { BlobStore, Digest } from './blobs.js';
import { refusal, treePath } from './path-rules.js';
import type { PieceBuffers } from './piece-buffers.js';
import { type TarItem, tarPieces } from './tar-pieces.js';

/** One piece that is being sent and one that is ready. */
const AHEAD_BYTES = 512 * 1024;

/**
 * The items as one tar (GNU format), in their order, in pieces of 256 KiB. Modes and times are the manifest's, owner
 * and group root; unpack it with `--no-same-owner`. Contents are read as the reader takes them; destroying the stream
 * stops it.
 * @param items entries of a manifest, and files that are in memory; parents that are left out must exist where it is unpacked
 * @param buffers where its pieces come from; the reader may give them back there
 * @returns a stream of Buffers; fails with PackageError when a content is missing or damaged
 */
export function tarStream(items: Iterable<TarItem>, blobs: BlobStore, buffers?: PieceBuffers): Readable {
  return Readable.from(tarPieces(items, blobs, buffers), { objectMode: false, highWaterMark: AHEAD_BYTES });
}

/**
 * Stores the contents of the files in a tar that comes from a host. Directories and symlinks pass without a trace: the
 * host's own listing tells of them.
 * @param onEntry told of each file as it was read, with its size in bytes
 * @returns digests by path
 * @throws PackageError when the tar is damaged, cut off, or names something outside the tree; the signal's reason
 */
export async function receiveTar(
  stream: Readable,
  blobs: BlobStore,
  onEntry: (path: string, size: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>();
  const sink = new ContentSink(blobs);
  const visit = async (entry: TarEntry, content: AsyncIterable<Uint8Array>): Promise<void> => {
    const path = treePath(entry.name, 'tar');
    if (entry.type === 'dir' || entry.type === 'symlink') return;
    const digest =
      entry.type === 'file' ? await sink.add(content, entry.size) : digests.get(treePath(entry.linkName, 'tar'));
    // A link to a symlink has no content, either.
    if (digest === undefined) return;
    if (digests.has(path)) throw refusal(path, 'the file occurs twice');
    digests.set(path, digest);
    onEntry(path, digest.size);
  };
  try {
    await readTar(stream, [], visit, signal);
    await sink.finish();
  } finally {
    await sink.settle();
  }
  return digests;
}
