import { finished, Readable, type Writable } from 'node:stream';
import type { RunOptions } from './transport.js';

/** Size of the pieces a buffer is sent in: the fastest for ssh2 (docs: performance). */
const PIECE_BYTES = 256 * 1024;

/**
 * Pipes a command's input into its stdin, with backpressure; without input stdin is closed.
 *
 * @param onMoved called for each piece handed on
 * @param onError called when the input itself fails
 * @returns ends the feeding, whatever is left of the input
 */
export function feed(
  stdin: Writable,
  { input, onTaken }: Pick<RunOptions, 'input' | 'onTaken'>,
  onMoved: () => void,
  onError: (error: Error) => void,
): () => void {
  if (input === undefined) {
    stdin.end();
    return () => {};
  }
  const source = input instanceof Readable ? input : Readable.from(pieces(Buffer.from(input)));
  const stopWatching = finished(source, { writable: false }, (error) => {
    if (error) onError(error);
  });
  // A destroyed stream may still emit an error, with nobody else to hear it.
  source.on('error', () => {});
  // Not `pipe`: a channel that the host closes refuses further writes without asking to pause, and a source that
  // always has more would then be read for ever, within one turn of the event loop.
  source.on('data', (chunk: Buffer | string) => {
    onMoved();
    const taken = onTaken !== undefined && Buffer.isBuffer(chunk) ? () => onTaken(chunk) : () => {};
    if (!stdin.writable || !stdin.write(chunk, taken)) source.pause();
  });
  source.once('end', () => stdin.end());
  const onDrain = () => source.resume();
  stdin.on('drain', onDrain);
  return () => {
    stopWatching();
    stdin.off('drain', onDrain);
    source.pause().destroy();
  };
}

/** Ends an input that never got its command. */
export function discardInput(input: RunOptions['input']): void {
  if (input instanceof Readable) input.on('error', () => {}).destroy();
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) yield bytes.subarray(start, start + PIECE_BYTES);
}
