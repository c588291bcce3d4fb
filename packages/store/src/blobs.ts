import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, opendir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { CONTENT_BUFFER_BYTES, writeContent } from './blob-writer.js';
import { isMissing } from './missing.js';
import { rename, statIfThere, writeNewFile } from './quick-fs.js';
import { sweepTempFiles, tempPath } from './temp-files.js';

/** What a content is known by: hex SHA-256 and length in bytes. */
export interface Digest {
  readonly sha256: string;
  readonly size: number;
}

/** What a sweep took away. */
export interface Swept {
  readonly removed: number;
  readonly bytes: number;
}

/** File contents by their SHA-256. Putting a content that is there already costs no space. */
export interface BlobStore {
  /** Stores what the stream yields, without holding more than about 1 MiB of it. Leaves nothing when it breaks off. */
  put(content: AsyncIterable<Uint8Array>): Promise<Digest>;
  /** Stores a content that is in memory; the digest is known at once, `stored` settles when it is safely there. */
  putBuffer(content: Uint8Array): Digest & { readonly stored: Promise<void> };
  /** The content as a stream, which fails with ENOENT when it is not there. */
  open(sha256: string): Readable;
  /** The file that holds the content, whether or not it is there. */
  path(sha256: string): string;
  has(sha256: string): Promise<boolean>;
  /** Removes a content; nothing happens when it is not there. */
  remove(sha256: string): Promise<void>;
  /** Removes every content that is not in `used` and was last put before `before`. */
  sweep(used: ReadonlySet<string>, before: Date): Promise<Swept>;
}

/** Blobs are never changed, only removed. */
const BLOB_MODE = 0o440;
/** A content put again counts as new; its file's time need not be exact, and each change of it costs a call. */
const FRESH_MS = 10 * 60 * 1000;

/** Blobs as files `<dir>/ab/<sha256>`, written under another name and renamed; not synced to disk one by one. */
export class FolderBlobStore implements BlobStore {
  readonly #dir: string;
  readonly #tempDir: string;
  readonly #shards = new Map<string, Promise<unknown>>();

  private constructor(dir: string) {
    this.#dir = dir;
    this.#tempDir = join(dir, 'tmp');
  }

  /** Opens the store, making the folder if need be, and removes what processes that are gone left unfinished. */
  static async open(dir: string): Promise<FolderBlobStore> {
    const store = new FolderBlobStore(dir);
    await mkdir(store.#tempDir, { recursive: true });
    await sweepTempFiles(store.#tempDir);
    return store;
  }

  async put(content: AsyncIterable<Uint8Array>): Promise<Digest> {
    const temp = tempPath(this.#tempDir);
    try {
      const written = await writeContent(content, temp, BLOB_MODE);
      if (written.buffered !== undefined) {
        const { stored, ...digest } = this.putBuffer(written.buffered);
        await stored;
        return digest;
      }
      const { sha256, size } = written;
      if (await this.#refresh(sha256, size)) await rm(temp);
      else await this.#place(temp, sha256);
      return { sha256, size };
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
  }

  putBuffer(content: Uint8Array): Digest & { readonly stored: Promise<void> } {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { sha256, size: content.length, stored: this.#store(content, sha256) };
  }

  open(sha256: string): Readable {
    return createReadStream(this.path(sha256), { highWaterMark: CONTENT_BUFFER_BYTES / 4 });
  }

  path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new PackageError({ where: sha256, what: 'not a SHA-256 digest in hex' });
    return join(this.#dir, sha256.slice(0, 2), sha256);
  }

  async has(sha256: string): Promise<boolean> {
    return (await statIfThere(this.path(sha256))) !== undefined;
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }

  async sweep(used: ReadonlySet<string>, before: Date): Promise<Swept> {
    let removed = 0;
    let bytes = 0;
    for (const shard of await readdir(this.#dir)) {
      if (!/^[0-9a-f]{2}$/.test(shard)) continue;
      for await (const { name } of await opendir(join(this.#dir, shard))) {
        if (used.has(name) || !/^[0-9a-f]{64}$/.test(name)) continue;
        const size = await this.#removeOld(name, before);
        if (size === undefined) continue;
        removed += 1;
        bytes += size;
      }
    }
    return { removed, bytes };
  }

  /** @returns the removed content's size in bytes, undefined when it stays */
  async #removeOld(sha256: string, before: Date): Promise<number | undefined> {
    const path = this.path(sha256);
    const seen = await statIfThere(path);
    if (seen === undefined || seen.mtimeMs >= before.getTime()) return undefined;
    // Another process may find the blob and rely on it between the look and the removal. Once it is moved away, a put
    // that comes later writes it anew, and one that came earlier shows in its time.
    const temp = tempPath(this.#tempDir);
    try {
      await rename(path, temp);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    if ((await stat(temp)).mtimeMs >= before.getTime()) {
      await rename(temp, path);
      return undefined;
    }
    await rm(temp);
    return seen.size;
  }

  async #store(content: Uint8Array, sha256: string): Promise<void> {
    if (await this.#refresh(sha256, content.length)) return;
    const temp = tempPath(this.#tempDir);
    try {
      await writeNewFile(temp, content, BLOB_MODE);
      await this.#place(temp, sha256);
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
  }

  /**
   * Is the content there? If so its age begins anew, which keeps it from being swept. A file of another length is what
   * a power failure left of a blob, since blobs are not synced; it is written again.
   */
  async #refresh(sha256: string, size: number): Promise<boolean> {
    const path = this.path(sha256);
    const found = await statIfThere(path);
    if (found?.size !== size) return false;
    const now = new Date();
    if (now.getTime() - found.mtimeMs < FRESH_MS) return true;
    try {
      await utimes(path, now, now);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #place(temp: string, sha256: string): Promise<void> {
    const shard = sha256.slice(0, 2);
    let made = this.#shards.get(shard);
    if (made === undefined) {
      made = mkdir(join(this.#dir, shard), { recursive: true });
      this.#shards.set(shard, made);
    }
    await made;
    await rename(temp, this.path(sha256));
  }
}
