import { Transform, type TransformCallback } from 'node:stream';

/** Lets bytes pass until they are more than `limit()`, then fails with the given error. */
export class ByteLimit extends Transform {
  readonly #limit: () => number;
  readonly #error: () => Error;
  #bytes = 0;

  /** @param limit in bytes; asked for each chunk, so that it may grow */
  constructor(limit: () => number, error: () => Error) {
    super();
    this.#limit = limit;
    this.#error = error;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit()) done(this.#error());
    else done(null, chunk);
  }
}
