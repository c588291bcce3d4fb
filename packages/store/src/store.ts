import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ArchiveFormat } from './archive/format.js';
import { ingestArchive } from './archive/ingest.js';
import { type BlobStore, FolderBlobStore } from './blobs.js';
import { type Collected, collectGarbage } from './garbage.js';
import { fileCount, totalSize } from './manifest.js';
import { ManifestStore } from './manifests.js';
import { PackageStore } from './packages.js';
import { type Received, receiveUpload } from './receive.js';
import { sweepTempFiles } from './temp-files.js';

/** An archive that was taken in: `files` and `size` (bytes) of the tree, `manifest` its id. */
export interface StoredTree {
  readonly manifest: string;
  readonly format: ArchiveFormat;
  readonly files: number;
  readonly size: number;
}

/** Everything under `data_dir` that has to do with packages. Any number of processes may have it open. */
export interface Store {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly packages: PackageStore;
  /** Writes an upload to a file, see {@link receiveUpload}; the caller removes it. */
  receive(
    stream: Readable,
    options?: { sha256?: string | undefined; signal?: AbortSignal | undefined },
  ): Promise<Received>;
  /** Unpacks an archive into the store and keeps its manifest, see {@link ingestArchive}. */
  ingest(file: string, signal?: AbortSignal): Promise<StoredTree>;
  /** Frees what nobody needs, see {@link collectGarbage}. */
  collectGarbage(extraManifestIds: readonly string[]): Promise<Collected>;
}

/**
 * Opens the store, making its folders if need be, and removes what dead processes left unfinished.
 * @param maxBytes limit on an archive, packed as well as unpacked (`packages.max_bytes`)
 */
export async function openStore(dataDir: string, { maxBytes }: { maxBytes: number }): Promise<Store> {
  const tempDir = join(dataDir, 'tmp');
  const incomingDir = join(dataDir, 'incoming');
  for (const dir of [tempDir, incomingDir]) {
    await mkdir(dir, { recursive: true });
    await sweepTempFiles(dir);
  }
  const blobs = await FolderBlobStore.open(join(dataDir, 'blobs'));
  const manifests = new ManifestStore(join(dataDir, 'manifests'), tempDir);
  const packages = new PackageStore(join(dataDir, 'packages'), tempDir);
  return {
    blobs,
    manifests,
    packages,
    receive: (stream, options = {}) => receiveUpload(stream, { dir: incomingDir, maxBytes, ...options }),
    async ingest(file, signal) {
      const { manifest, format } = await ingestArchive(file, blobs, { maxBytes, signal });
      const id = await manifests.save(manifest);
      return { manifest: id, format, files: fileCount(manifest), size: totalSize(manifest) };
    },
    collectGarbage: (extraManifestIds) => collectGarbage({ blobs, manifests, packages }, extraManifestIds),
  };
}
