import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { FolderBlobStore } from '@rexdeploy/store/blobs';
import type { FileEntry } from '@rexdeploy/store/manifest';
import { describe, expect, test } from 'vitest';
import { choosePacking, gzipped, LineMeter, PROBE_BYTES } from './packing.js';

const PIECE = 256 * 1024;

/** Times, in ms, that pass before each piece of a probe is taken; the line's rate in Mbit/s as it is found. */
async function measure(pauseMs: (piece: number) => number): Promise<number> {
  const meter = new LineMeter();
  let now = 0;
  for (let piece = 0; piece < PROBE_BYTES / PIECE; piece += 1) {
    now += pauseMs(piece);
    meter.add(PIECE, now);
  }
  return (await meter.rate) / 1e6;
}

describe('the measure of a line', () => {
  const even = (ms: number) => (piece: number) => (piece < 8 ? 0 : ms);
  test('does not count what no host has taken yet', async () => {
    expect(await measure(even(20))).toBeCloseTo(104.9, 0);
    expect(await measure(even(2))).toBeCloseTo(1048.6, 0);
  });

  test('is not misled by what waited in buffers when the host began', async () => {
    expect(await measure((piece) => (piece === 8 ? 500 : piece < 12 ? 0 : 20))).toBeCloseTo(104.9, 0);
  });

  test('is not misled by ends that wait for a processor most of the time', async () => {
    expect(await measure((piece) => even(2)(piece) + (piece % 4 === 0 ? 100 : 0))).toBeCloseTo(1048.6, 0);
  });

  test('ends with what it has; a line that could not be measured counts as fast', async () => {
    const meter = new LineMeter();
    for (let at = 0; at < 20; at += 1) meter.add(PIECE, at * 20);
    meter.end();
    expect((await meter.rate) / 1e6).toBeCloseTo(104.9, 0);
    const unknown = new LineMeter();
    unknown.end();
    expect(await unknown.rate).toBe(Number.POSITIVE_INFINITY);
  });

  test('is of all transfers together: they share it', async () => {
    const [one, other] = [new LineMeter(), new LineMeter()];
    for (let at = 0; at < PROBE_BYTES / PIECE; at += 1) for (const meter of [one, other]) meter.add(PIECE, at * 20);
    expect((await one.rate) / 1e6).toBeCloseTo(209.7, 0);
  });
});

describe('packing', () => {
  async function withFiles(contents: Buffer[], use: (files: FileEntry[], blobs: FolderBlobStore) => Promise<void>) {
    const dir = mkdtempSync(join(tmpdir(), 'rex-packing-'));
    try {
      const blobs = await FolderBlobStore.open(dir);
      const facts = { type: 'file', mode: 0o644, mtime: 1 } as const;
      const files: FileEntry[] = [];
      for (const [at, content] of contents.entries()) {
        files.push({ ...facts, path: `${at}`, ...(await blobs.put(Readable.from([content]))) });
      }
      await use(files, blobs);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const text = Buffer.from('half of it packs well '.repeat(50_000));

  test('is for slow lines and for what packs, wherever among the files it lies', async () => {
    await withFiles([randomBytes(1000), text, Buffer.alloc(0), randomBytes(500_000)], async (files, blobs) => {
      expect(await choosePacking(149e6, files, blobs)).toBe('gzip');
      expect(await choosePacking(151e6, files, blobs)).toBe('none');
    });
    await withFiles([randomBytes(2_000_000), text.subarray(0, 1000)], async (files, blobs) => {
      expect(await choosePacking(1e6, files, blobs)).toBe('none');
    });
    await withFiles([], async (files, blobs) => {
      expect(await choosePacking(1e6, files, blobs)).toBe('none');
    });
  });

  test('gives back what was packed', async () => {
    const pieces = Array.from({ length: 20 }, () => randomBytes(100_000));
    const packed = await buffer(Readable.from(gzipped(Readable.from(pieces))));
    expect(gunzipSync(packed).equals(Buffer.concat(pieces))).toBe(true);
  });

  test('fails with what its source fails with', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield randomBytes(1000);
      throw new Error('the disk is broken');
    }
    await expect(buffer(Readable.from(gzipped(broken())))).rejects.toThrow('the disk is broken');
  });
});
