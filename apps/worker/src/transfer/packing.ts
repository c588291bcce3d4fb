import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { BlobStore } from '@rexdeploy/store/blobs';
import type { FileEntry } from '@rexdeploy/store/manifest';

/** How bytes travel. */
export type Packing = 'none' | 'gzip';

/** OpenSSH lets 2 MiB come before it has taken anything, and part of them wait on the host until its script begins. */
const AHEAD_BYTES = 3 * 1024 ** 2;
/** What follows is timed in parts. */
const PARTS = 6;
const PART_BYTES = 512 * 1024;
/** Enough for the line to be measured while there is still something to send. */
export const PROBE_BYTES = AHEAD_BYTES + (PARTS + 1) * PART_BYTES;
/**
 * In bits a second. gzip packs 500 Mbit/s on one core, so that it gains up to about 300; but a line that is found slow only
 * because its ends wait for a processor would become ten times slower, and nothing is lost where it is left alone.
 */
const SLOW_LINE = 150e6;
const WORTH_IT = 1.2;
const SAMPLES = 16;
const SAMPLE_BYTES = 32 * 1024;
/** Multiples of it, taken modulo 1, are spread evenly and meet no rhythm of the files, such as every second one packed. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
const FASTEST = { level: constants.Z_BEST_SPEED };

/** Bytes that the hosts of all transfers of this process have taken: they share one line. */
let carried = 0;

/** Finds how fast the line is, from when a host takes what is sent to it. */
export class LineMeter {
  /** Settles once it is known, with bits a second. */
  readonly rate: Promise<number>;
  #settle: (rate: number) => void = () => {};
  #taken = 0;
  #part: { taken: number; carried: number; at: number } | undefined;
  readonly #rates: number[] = [];

  constructor() {
    this.rate = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /**
   * The host has taken more.
   * @param bytes how many
   * @param now in ms
   */
  add(bytes: number, now: number = performance.now()): void {
    carried += bytes;
    this.#taken += bytes;
    if (this.#rates.length === PARTS || this.#taken <= AHEAD_BYTES) return;
    const part = this.#part;
    if (part !== undefined && this.#taken - part.taken < PART_BYTES) return;
    this.#part = { taken: this.#taken, carried, at: now };
    if (part === undefined) return;
    this.#rates.push(((carried - part.carried) * 8_000) / Math.max(now - part.at, 0.001));
    if (this.#rates.length === PARTS) this.end();
  }

  /** Nothing more comes before the rate is needed. A line that could not be measured counts as fast. */
  end(): void {
    // Any part may have stood still; none is faster than the line.
    this.#settle(this.#rates.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...this.#rates));
  }
}

/**
 * @param bitsPerSecond what the line carries
 * @param files what is still to be sent
 */
export async function choosePacking(
  bitsPerSecond: number,
  files: readonly FileEntry[],
  blobs: BlobStore,
): Promise<Packing> {
  if (bitsPerSecond >= SLOW_LINE) return 'none';
  const sample = await sampleOf(files, blobs);
  const packed = await promisify(gzip)(sample, FASTEST);
  return sample.length >= packed.length * WORTH_IT ? 'gzip' : 'none';
}

/** Pieces from places that are spread over all bytes. */
async function sampleOf(files: readonly FileEntry[], blobs: BlobStore): Promise<Buffer> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const places = Array.from({ length: SAMPLES }, (_, at) => Math.floor(total * ((at * GOLDEN_RATIO) % 1)));
  const samples: Buffer[] = [];
  let [index, before] = [0, 0];
  for (const place of places.toSorted((a, b) => a - b)) {
    for (let size = files[index]?.size; size !== undefined && before + size <= place; size = files[index]?.size) {
      before += size;
      index += 1;
    }
    const file = files[index];
    if (file !== undefined) samples.push(await readAt(blobs.path(file.sha256), place - before));
  }
  return Buffer.concat(samples);
}

async function readAt(path: string, position: number): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

/** What is packed costs the processor more than what is sent; the packing itself is done by threads. */
export async function* gzipped(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packer = createGzip({ ...FASTEST, chunkSize: 64 * 1024 });
  // Its failure is the packer's, who is read below.
  const feeding = pipeline(Readable.from(pieces, { objectMode: false, highWaterMark: 1 }), packer);
  feeding.catch(() => {});
  for await (const chunk of packer) yield chunk as Buffer;
  await feeding;
}
