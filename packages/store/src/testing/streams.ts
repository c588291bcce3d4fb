import { Readable } from 'node:stream';

/** A stream that yields these pieces and then fails. */
export function breakingStream(pieces: readonly Buffer[], error: Error): Readable {
  return Readable.from(
    (async function* () {
      yield* pieces;
      throw error;
    })(),
    { objectMode: false },
  );
}
