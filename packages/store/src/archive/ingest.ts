import type { BlobStore } from '../blobs.js';
import type { Manifest } from '../manifest.js';
import { type ArchiveFormat, detectFormat, readHead } from './format.js';
import { ingestTar } from './ingest-tar.js';
import { ingestZip } from './ingest-zip.js';
import type { IngestOptions } from './options.js';

/** What an archive turned out to be. */
export interface Ingested {
  readonly manifest: Manifest;
  readonly format: ArchiveFormat;
}

/**
 * Unpacks an archive into the store, without ever making a tree of it on disk. One refused entry refuses the whole
 * archive; contents stored until then are swept later, since no manifest names them.
 * @param file a tar, a gzipped tar or a zip, told by its content
 * @throws PackageError naming the entry and the rule; PackageTooLargeError past `maxBytes`; the signal's reason
 */
export async function ingestArchive(file: string, blobs: BlobStore, options: IngestOptions): Promise<Ingested> {
  options.signal?.throwIfAborted();
  const format = detectFormat(await readHead(file));
  const manifest =
    format === 'zip'
      ? await ingestZip(file, blobs, options)
      : await ingestTar(file, format === 'tar.gz', blobs, options);
  return { manifest, format };
}
