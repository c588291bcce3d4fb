import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import type { BlobStore } from './blobs.js';
import { Bounded } from './bounded.js';
import type { FileEntry, ManifestEntry } from './manifest.js';
import { isMissing } from './missing.js';
import { PieceBuffers } from './piece-buffers.js';
import { close, open, read } from './quick-fs.js';
import { BLOCK_BYTES, paddingAfter, type TarFields, tarHeader } from './tar-header.js';

/** Small files read at once: with 4, waking the threads costs four times as much as reading does. */
const PARALLEL_READS = 32;
/**
 * Handing a read of a few KiB to a thread costs many times the read itself when the file is in the system's cache, as
 * what was just taken in is. So small files are read at once, until one takes so long that it cannot have been there;
 * then the rest of the piece is left to threads.
 */
const AT_ONCE_BYTES = 64 * 1024;
const SLOW_MS = 2;
/** Two empty blocks end a tar. */
const ZEROS = Buffer.alloc(2 * BLOCK_BYTES);

/** A file whose content is in memory and not in the store. */
export interface InlineFile extends TarFields {
  readonly type: 'file';
  readonly content: Buffer;
}

/** What a tar is made of. */
export type TarItem = ManifestEntry | InlineFile;

/** Length of the tar that {@link tarPieces} makes, in bytes. */
export function tarLength(items: Iterable<TarItem>): number {
  let length = ZEROS.length;
  for (const item of items) length += tarHeader(item).length + item.size + paddingAfter(item.size);
  return length;
}

/** A piece of the tar as it is being filled; files may still be on their way into it. */
class Piece {
  readonly bytes: Buffer;
  readonly reads = new Bounded(PARALLEL_READS);
  used = 0;
  /** Are the files of this piece likely to be in the system's cache? */
  isCached = true;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get room(): number {
    return this.bytes.length - this.used;
  }

  /** Claims the next bytes, as many as there are left of `wanted`. */
  take(wanted: number): Buffer {
    const start = this.used;
    this.used += Math.min(wanted, this.room);
    return this.bytes.subarray(start, this.used);
  }

  /** Takes bytes in when there is room for them and one more. */
  fits(bytes: Buffer): boolean {
    if (bytes.length >= this.room) return false;
    this.used += bytes.copy(this.bytes, this.used);
    return true;
  }

  /** The filled part, once every file has arrived. */
  async filled(): Promise<Buffer> {
    await this.reads.finish();
    return this.bytes.subarray(0, this.used);
  }
}

/**
 * The items as a tar, in pieces of 256 KiB; only the last one is shorter. Files are read straight into the pieces.
 * @param buffers where pieces come from; whoever is done with one may give it back
 * @throws PackageError when a content is missing or shorter than its entry says
 */
export async function* tarPieces(
  items: Iterable<TarItem>,
  blobs: BlobStore,
  buffers: PieceBuffers = new PieceBuffers(),
): AsyncGenerator<Buffer> {
  let piece = new Piece(buffers.take());
  async function* next(): AsyncGenerator<Buffer> {
    yield await piece.filled();
    // Reading at once gives nobody else a turn by itself.
    await setImmediate();
    piece = new Piece(buffers.take());
  }
  async function* append(bytes: Buffer): AsyncGenerator<Buffer> {
    for (let done = 0; done < bytes.length; ) {
      done += bytes.copy(piece.take(bytes.length - done), 0, done);
      if (piece.room === 0) yield* next();
    }
  }
  async function* appendInParts(entry: FileEntry): AsyncGenerator<Buffer> {
    const fd = await openBlob(entry, blobs);
    try {
      for (let done = 0; done < entry.size; ) {
        const part = piece.take(entry.size - done);
        await readInto(part, fd, done, entry);
        done += part.length;
        if (piece.room === 0) yield* next();
      }
    } finally {
      await close(fd);
    }
  }
  try {
    for (const item of items) {
      const header = tarHeader(item);
      if (!piece.fits(header)) yield* append(header);
      if (item.type !== 'file' || item.size === 0) continue;
      if ('content' in item) {
        if (!piece.fits(item.content)) yield* append(item.content);
      } else if (item.size < piece.room) {
        const into = piece.take(item.size);
        if (piece.isCached && item.size <= AT_ONCE_BYTES) {
          piece.isCached = readAtOnce(into, item, blobs) < SLOW_MS;
        } else {
          await piece.reads.room();
          piece.reads.add(readWhole(into, item, blobs));
        }
      } else {
        yield* appendInParts(item);
      }
      const padding = ZEROS.subarray(0, paddingAfter(item.size));
      if (!piece.fits(padding)) yield* append(padding);
    }
    yield* append(ZEROS);
    if (piece.used > 0) yield await piece.filled();
  } finally {
    await piece.reads.settle();
  }
}

/** @returns how long it took, in milliseconds */
function readAtOnce(into: Buffer, entry: FileEntry, blobs: BlobStore): number {
  const begin = performance.now();
  const fd = openBlobAtOnce(entry, blobs);
  try {
    for (let done = 0; done < into.length; ) {
      const count = readSync(fd, into, done, into.length - done, done);
      if (count === 0) throw tooShort(entry, done);
      done += count;
    }
  } finally {
    closeSync(fd);
  }
  return performance.now() - begin;
}

async function readWhole(into: Buffer, entry: FileEntry, blobs: BlobStore): Promise<void> {
  const fd = await openBlob(entry, blobs);
  try {
    await readInto(into, fd, 0, entry);
  } finally {
    await close(fd);
  }
}

async function openBlob(entry: FileEntry, blobs: BlobStore): Promise<number> {
  try {
    return await open(blobs.path(entry.sha256), 'r');
  } catch (cause) {
    throw isMissing(cause) ? missingContent(entry, cause) : cause;
  }
}

function openBlobAtOnce(entry: FileEntry, blobs: BlobStore): number {
  try {
    return openSync(blobs.path(entry.sha256), 'r');
  } catch (cause) {
    throw isMissing(cause) ? missingContent(entry, cause) : cause;
  }
}

async function readInto(into: Buffer, fd: number, position: number, entry: FileEntry): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await read(fd, into, done, into.length - done, position + done);
    if (bytesRead === 0) throw tooShort(entry, position + done);
    done += bytesRead;
  }
}

function missingContent({ path, sha256 }: FileEntry, cause: unknown): PackageError {
  return new PackageError({ where: path, what: `its content ${sha256} is not in the store`, cause });
}

function tooShort({ path, size }: FileEntry, found: number): PackageError {
  return new PackageError({ where: path, what: `its stored content has ${found} bytes, not ${size}` });
}
