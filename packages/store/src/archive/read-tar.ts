import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { extract } from 'tar-stream';
import { BLOCK_BYTES, paddingAfter } from '../tar-header.js';
import { asDamage } from './damage.js';
import { type TarEntry, understandHeader } from './tar-entry.js';

/** The content of an entry; empty except for files. What the visitor leaves unread is skipped. */
export type TarContent = AsyncIterable<Uint8Array>;

/**
 * Reads a tar (ustar, pax, GNU) entry by entry, holding no more than a few pieces of it.
 * @param source the raw stream; destroyed when reading fails
 * @param stages what it has to pass before it is a tar: a gunzip, a limit
 * @param visit called for each entry in order; the next one waits for it
 * @throws PackageError when the tar is damaged, cut off, or holds a type of entry that a release cannot have;
 * whatever `visit` or a stage throws; the signal's reason
 */
export async function readTar(
  source: Readable,
  stages: readonly Transform[],
  visit: (entry: TarEntry, content: TarContent) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const parser = extract();
  const end = new EndWatch();
  const flow = pipeline([source, ...stages, end, parser], signal === undefined ? {} : { signal });
  // The loop tells what went wrong; a failure that comes while an entry is visited must not count as unhandled.
  flow.catch(() => undefined);
  let lastEnd = 0;
  let visitFailure: { readonly reason: unknown } | undefined;
  try {
    for await (const entry of parser) {
      try {
        const understood = understandHeader(entry.header);
        lastEnd = entry.offset + BLOCK_BYTES + understood.size + paddingAfter(understood.size);
        await visit(understood, contentOf(entry));
      } catch (reason) {
        visitFailure = { reason };
        throw reason;
      }
    }
    await flow;
  } catch (error) {
    source.destroy();
    signal?.throwIfAborted();
    throw visitFailure === undefined ? asDamage(error) : visitFailure.reason;
  }
  if (!end.isMarkedAfter(lastEnd))
    throw new PackageError({ what: 'the archive is cut off: the end mark of the tar is missing' });
}

async function* contentOf(entry: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  try {
    yield* entry as TarContent;
  } catch (error) {
    throw asDamage(error);
  }
}

/**
 * Lets a tar pass and remembers whether it ended with zeros, as every whole tar does. The parser itself does not miss
 * the end mark, so a tar cut off between two entries would pass for a smaller one.
 */
class EndWatch extends Transform {
  #bytes = 0;
  #trailingZeros = 0;

  /** Zeros before `lastEnd`, the offset behind the last entry, are that entry's own. */
  isMarkedAfter(lastEnd: number): boolean {
    return Math.min(this.#trailingZeros, this.#bytes - lastEnd) >= BLOCK_BYTES;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    const tail = chunk.subarray(-BLOCK_BYTES);
    const lastByte = tail.findLastIndex((byte) => byte !== 0);
    this.#trailingZeros = lastByte === -1 ? this.#trailingZeros + tail.length : tail.length - 1 - lastByte;
    done(null, chunk);
  }
}
