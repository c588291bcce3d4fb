import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BlobStore } from '../blobs.js';
import type { Manifest } from '../manifest.js';
import { ByteLimit } from './byte-limit.js';
import { ContentSink } from './content-sink.js';
import type { IngestOptions } from './options.js';
import { readTar } from './read-tar.js';
import { TreeBuilder, tooLarge } from './tree-builder.js';

const PIECE_BYTES = 256 * 1024;
/** What a tar may hold beside its files' contents: headers and padding for each entry, and the end. */
const OVERHEAD_PER_ENTRY_BYTES = 8 * 1024;
const OVERHEAD_BYTES = 8 * 1024 * 1024;

/**
 * Takes in a tar, gzipped or not: contents into the store, entries into the manifest.
 * @throws PackageError for whatever is wrong with it; PackageTooLargeError past the limit
 */
export async function ingestTar(
  file: string,
  isGzipped: boolean,
  blobs: BlobStore,
  { maxBytes, signal }: IngestOptions,
): Promise<Manifest> {
  const tree = new TreeBuilder('tar', maxBytes);
  const sink = new ContentSink(blobs);
  const stages: Transform[] = isGzipped ? [createGunzip({ chunkSize: PIECE_BYTES })] : [];
  // Contents are counted entry by entry; this bounds what a gzip can blow up besides: headers and trailing zeros.
  const limit = new ByteLimit(
    () => maxBytes + OVERHEAD_BYTES + OVERHEAD_PER_ENTRY_BYTES * tree.entryCount,
    () => tooLarge(maxBytes),
  );
  const source = createReadStream(file, { highWaterMark: PIECE_BYTES });
  try {
    await readTar(
      source,
      [...stages, limit],
      async (entry, content) => {
        if (entry.type === 'dir') tree.addDir(entry);
        else if (entry.type === 'symlink') tree.addSymlink(entry, entry.linkName);
        else if (entry.type === 'hardlink') tree.addHardLink(entry.name, entry.linkName);
        else tree.setContent(tree.addFile(entry, entry.size), await sink.add(content, entry.size));
      },
      signal,
    );
    await sink.finish();
  } finally {
    await sink.settle();
  }
  return tree.finish();
}
