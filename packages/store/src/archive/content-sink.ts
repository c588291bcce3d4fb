import { CONTENT_BUFFER_BYTES } from '../blob-writer.js';
import type { BlobStore, Digest } from '../blobs.js';
import { Bounded } from '../bounded.js';

/** Small files on their way to disk at once: enough to hide a slow disk, at most 16 MiB of memory. */
const PARALLEL_WRITES = 16;

/** Stores the contents of an archive one after another, while the small ones among them are still being written. */
export class ContentSink {
  readonly #blobs: BlobStore;
  readonly #writes = new Bounded(PARALLEL_WRITES);

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /**
   * Takes a content in.
   * @param size its length in bytes as the archive states it; decides only how it is stored
   * @returns its digest, known before it is written; {@link finish} tells whether writing succeeded
   */
  async add(content: AsyncIterable<Uint8Array>, size: number): Promise<Digest> {
    if (size > CONTENT_BUFFER_BYTES) return this.#blobs.put(content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    await this.#writes.room();
    const { stored, ...digest } = this.#blobs.putBuffer(whole);
    this.#writes.add(stored);
    return digest;
  }

  /** Waits until everything is stored. */
  finish(): Promise<void> {
    return this.#writes.finish();
  }

  /** Waits until nothing is being written any more, after a failure. */
  settle(): Promise<void> {
    return this.#writes.settle();
  }
}
