import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect } from 'vitest';
import type { BlobStore } from './blobs.js';
import { test } from './testing/scratch.js';
import { breakingStream } from './testing/streams.js';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const MIB = 1024 * 1024;

/** What every blob store promises. @param open a store that is empty, in a folder of its own */
export function describeBlobStore(name: string, open: (dir: string) => Promise<BlobStore>): void {
  describe(name, () => {
    test.for([0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 7])('gives back a content of %d bytes', async (size, { dir }) => {
      const store = await open(dir);
      const content = randomBytes(size);
      const { sha256, size: stored } = await store.put(Readable.from(piecesOf(content)));
      expect(stored).toBe(size);
      expect(content.equals(await buffer(store.open(sha256)))).toBe(true);
      expect(await store.has(sha256)).toBe(true);
    });

    test('knows the digest of a buffer before it is stored', async ({ dir }) => {
      const store = await open(dir);
      const { sha256, size, stored } = store.putBuffer(Buffer.alloc(0));
      expect({ sha256, size }).toEqual({ sha256: EMPTY, size: 0 });
      await stored;
      expect(await store.has(EMPTY)).toBe(true);
    });

    test('takes the same content from many at once', async ({ dir }) => {
      const store = await open(dir);
      for (const content of [Buffer.from('small'), randomBytes(3 * MIB)]) {
        const puts = Array.from({ length: 20 }, () => store.put(Readable.from(piecesOf(content))));
        const digests = new Set((await Promise.all(puts)).map(({ sha256 }) => sha256));
        expect(digests.size).toBe(1);
        for (const sha256 of digests) expect(content.equals(await buffer(store.open(sha256)))).toBe(true);
      }
    });

    test('keeps nothing of a content that breaks off, and tells why', async ({ dir }) => {
      const store = await open(dir);
      for (const size of [100, 3 * MIB]) {
        const content = breakingStream([Buffer.alloc(size)], new Error('line cut'));
        await expect(store.put(content)).rejects.toThrowError('line cut');
      }
      expect(await store.sweep(new Set(), inAnHour())).toEqual({ removed: 0, bytes: 0 });
    });

    test('fails to open what is not there, and removes it without complaint', async ({ dir }) => {
      const store = await open(dir);
      expect(await store.has(EMPTY)).toBe(false);
      await expect(buffer(store.open(EMPTY))).rejects.toMatchObject({ code: 'ENOENT' });
      await store.remove(EMPTY);
    });

    test('removes what it is told to', async ({ dir }) => {
      const store = await open(dir);
      const { sha256 } = await store.put(Readable.from([Buffer.from('x')]));
      await store.remove(sha256);
      expect(await store.has(sha256)).toBe(false);
    });

    test.for(['', 'abc', '../../etc/passwd', EMPTY.toUpperCase()])('refuses %j for a digest', async (odd, { dir }) => {
      const store = await open(dir);
      await expect(store.has(odd)).rejects.toMatchObject({ code: 'package' });
    });

    test('sweeps what is not used, except what was put lately', async ({ dir }) => {
      const store = await open(dir);
      const used = await store.put(Readable.from([Buffer.from('used')]));
      const unused = await store.put(Readable.from([Buffer.from('not used')]));
      const keep = new Set([used.sha256]);
      expect(await store.sweep(keep, new Date(Date.now() - 60_000))).toEqual({ removed: 0, bytes: 0 });
      expect(await store.sweep(keep, inAnHour())).toEqual({ removed: 1, bytes: 8 });
      expect([await store.has(used.sha256), await store.has(unused.sha256)]).toEqual([true, false]);
    });
  });
}

function inAnHour(): Date {
  return new Date(Date.now() + 3_600_000);
}

function* piecesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 60_000) yield content.subarray(at, at + 60_000);
}
