import { finished, type Writable } from 'node:stream';
import { Lines } from './lines.js';
import type { RunOptions } from './transport.js';

/** Default of `maxOutputBytes`: more than any listing a step asks for, little enough to hold in memory. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Where a command's stdout goes. */
export interface StdoutSink {
  /** Takes a chunk; false asks to wait until `onDrain` calls. Throws when it cannot take any more. */
  write(chunk: Buffer): boolean;
  /** The command ended: everything is delivered; resolves with the stdout of the result, undefined for its tail. */
  finish(): Promise<string | undefined>;
  /** The command failed; nothing further comes. */
  abandon(): void;
}

/** The sink the options ask for: `output`, `onLine` or collecting. */
export function stdoutSink(options: RunOptions, onDrain: () => void, onError: (error: Error) => void): StdoutSink {
  const maxBytes = options.maxOutputBytes ?? MAX_OUTPUT_BYTES;
  if (options.output !== undefined) return writableSink(options.output, onDrain, onError);
  if (options.onLine !== undefined) return lineSink(new Lines(options.onLine, maxBytes));
  return collectingSink(maxBytes);
}

function collectingSink(maxBytes: number): StdoutSink {
  let chunks: Buffer[] = [];
  let bytes = 0;
  return {
    write(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw new RangeError(`stdout is longer than ${maxBytes} bytes`);
      return true;
    },
    finish: async () => Buffer.concat(chunks).toString('utf8'),
    abandon() {
      chunks = [];
    },
  };
}

function lineSink(lines: Lines): StdoutSink {
  return {
    write(chunk) {
      lines.push(chunk);
      return true;
    },
    async finish() {
      lines.end();
      return undefined;
    },
    abandon() {},
  };
}

function writableSink(output: Writable, onDrain: () => void, onError: (error: Error) => void): StdoutSink {
  output.on('drain', onDrain);
  const done = new Promise<void>((resolve, reject) => {
    finished(output, { readable: false }, (error) => (error ? reject(error) : resolve()));
  });
  done.catch(onError);
  // A destroyed stream may still emit an error, with nobody else to hear it.
  output.on('error', () => {});
  return {
    write: (chunk) => output.write(chunk),
    async finish() {
      output.end();
      await done;
      return '';
    },
    abandon() {
      output.off('drain', onDrain);
      output.destroy();
    },
  };
}

/** Ends an output that never got its command. */
export function discardOutput(output: Writable | undefined): void {
  output?.on('error', () => {}).destroy();
}
