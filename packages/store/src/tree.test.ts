import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect } from 'vitest';
import { ingestArchive } from './archive/ingest.js';
import type { BlobStore } from './blobs.js';
import { type FileEntry, type ManifestEntry, makeManifest } from './manifest.js';
import { run, test } from './testing/scratch.js';
import { tarOf } from './testing/tars.js';
import { receiveTar, tarStream } from './tree.js';

const PIECE = 256 * 1024;
const MTIME = 1_600_000_000;
const LONG_DIR = 'long-'.repeat(40);

async function fileOf(blobs: BlobStore, path: string, content: Buffer, mode = 0o644): Promise<FileEntry> {
  return { path, type: 'file', mode, mtime: MTIME, ...(await blobs.put(Readable.from([content]))) };
}

async function sampleTree(blobs: BlobStore): Promise<readonly ManifestEntry[]> {
  const sizes = [0, 1, 511, 512, 513, 100_000, PIECE - 512, PIECE - 1024, PIECE, PIECE + 1, 3 * PIECE + 5];
  return makeManifest([
    ...(await Promise.all(sizes.map((size) => fileOf(blobs, `sizes/${size}`, randomBytes(size))))),
    ...(await Promise.all(
      Array.from({ length: 300 }, (_, i) => fileOf(blobs, `many/${i}`, Buffer.from(`${i}`.repeat(i)))),
    )),
    await fileOf(blobs, 'bin/start', Buffer.from('#!/bin/sh'), 0o750),
    await fileOf(blobs, `${LONG_DIR}/${'文'.repeat(50)}`, Buffer.from('long')),
    await fileOf(blobs, `${'x'.repeat(100)}`, Buffer.from('just fits')),
    { path: 'empty', type: 'dir', mode: 0o1700, size: 0, mtime: MTIME },
    { path: 'link', type: 'symlink', mode: 0o777, size: 0, mtime: MTIME, target: 'bin/start' },
    {
      path: 'long-link',
      type: 'symlink',
      mode: 0o777,
      size: 0,
      mtime: MTIME,
      target: `${LONG_DIR}/${'文'.repeat(50)}`,
    },
  ]).entries;
}

describe('a tree as a tar', () => {
  test('is unpacked by tar with content, modes, times and symlinks', async ({ dir, blobs }) => {
    const entries = await sampleTree(blobs);
    const out = join(dir, 'out');
    await mkdir(out);
    await pipeline(tarStream(entries, blobs), createWriteStream(join(dir, 'x.tar')));
    await run('tar', '-C', out, '--no-same-owner', '-xpf', join(dir, 'x.tar'));
    for (const entry of entries) {
      const path = join(out, entry.path);
      const found = await lstat(path);
      if (entry.type === 'symlink') expect(await readlink(path)).toBe(entry.target);
      else expect(found.mode & 0o7777, entry.path).toBe(entry.mode);
      expect(found.mtimeMs / 1000, entry.path).toBe(entry.mtime);
      if (entry.type !== 'file') continue;
      expect((await readFile(path)).equals(await readFile(blobs.path(entry.sha256))), entry.path).toBe(true);
    }
    expect(await readdir(out, { recursive: true })).toHaveLength(entries.length);
  });

  test('is taken in again as the same tree', async ({ dir, blobs }) => {
    const entries = await sampleTree(blobs);
    await pipeline(tarStream(entries, blobs), createWriteStream(join(dir, 'x.tar')));
    expect((await ingestArchive(join(dir, 'x.tar'), blobs, { maxBytes: 1e8 })).manifest.entries).toEqual(entries);
  });

  test('lists its entries in their order, owned by root', async ({ dir, blobs }) => {
    const entries = await sampleTree(blobs);
    await pipeline(tarStream(entries, blobs), createWriteStream(join(dir, 'x.tar')));
    const listing = await run('tar', '--quoting-style=literal', '-tf', join(dir, 'x.tar'));
    const names = listing.split('\n').filter((line) => line !== '');
    expect(names.map((name) => name.replace(/\/$/, ''))).toEqual(entries.map(({ path }) => path));
    const owners = (await run('tar', '-tvf', join(dir, 'x.tar')))
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[1]);
    expect(new Set(owners)).toEqual(new Set(['root/root']));
  });

  test('comes in pieces of 256 KiB', async ({ blobs }) => {
    const sizes: number[] = [];
    for await (const piece of tarStream(await sampleTree(blobs), blobs)) sizes.push((piece as Buffer).length);
    expect(sizes.length).toBeGreaterThan(5);
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([PIECE]));
    expect(sizes.at(-1)).toBeLessThanOrEqual(PIECE);
  });

  test('of nothing is an empty tar', async ({ blobs }) => {
    expect((await buffer(tarStream([], blobs))).equals(Buffer.alloc(1024))).toBe(true);
  });

  test('of a file over 8 GiB has a header that tar understands', async ({ dir, blobs }) => {
    const size = 9 * 1024 ** 3;
    const entry: FileEntry = { ...(await fileOf(blobs, 'huge', Buffer.from('x'))), size };
    const stream = tarStream([entry], blobs);
    const pieces = stream[Symbol.asyncIterator]();
    await expect(pieces.next()).rejects.toThrowError(`its stored content has 1 bytes, not ${size}`);
    const { tarHeader } = await import('./tar-header.js');
    await writeFile(join(dir, 'x.tar'), tarHeader(entry));
    const listing = await run('sh', '-c', `tar -tvf ${join(dir, 'x.tar')} 2>/dev/null || true`);
    expect(listing).toContain(` ${size} `);
  });

  test('reads no further than its reader takes', async ({ blobs }) => {
    const content = randomBytes(2 * PIECE);
    const entries = await Promise.all(Array.from({ length: 50 }, (_, i) => fileOf(blobs, `f${i}`, content)));
    let opened = 0;
    const counting: BlobStore = Object.assign(Object.create(blobs), {
      path: (sha256: string) => {
        opened += 1;
        return blobs.path(sha256);
      },
    });
    const stream = tarStream(entries, counting);
    const pieces = stream[Symbol.asyncIterator]();
    await pieces.next();
    // Whatever is read ahead has been read once the event loop has gone round often enough for all 50 files.
    for (let round = 0; round < 500; round += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(opened).toBeLessThan(5);
    stream.destroy();
  });

  test('stops when it is destroyed, and closes its files', async ({ blobs }) => {
    const entry = await fileOf(blobs, 'big', randomBytes(20 * PIECE));
    const before = (await readdir('/proc/self/fd')).length;
    const stream = tarStream([entry], blobs);
    for await (const _ of stream) break;
    await expect.poll(async () => (await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before);
  });

  test('fails when a content is missing or damaged, and names the entry', async ({ blobs }) => {
    const small = await fileOf(blobs, 'small', Buffer.from('small'));
    const big = await fileOf(blobs, 'big', randomBytes(2 * PIECE));
    for (const entry of [small, big]) {
      await rm(blobs.path(entry.sha256));
      await expect(buffer(tarStream([entry], blobs))).rejects.toMatchObject({ code: 'package', where: entry.path });
      await writeFile(blobs.path(entry.sha256), 'x');
      await expect(buffer(tarStream([entry], blobs))).rejects.toThrowError('has 1 bytes');
    }
  });
});

describe('a tar from a host', () => {
  test('gives the digests of its files, which are stored', async ({ dir, blobs }) => {
    const tree = join(dir, 'tree');
    await mkdir(join(tree, 'd'), { recursive: true });
    await writeFile(join(tree, 'd/a'), 'content');
    await writeFile(join(tree, 'big'), Buffer.alloc(3_000_000, 'x'));
    await run(
      'sh',
      '-c',
      `cd ${tree} && ln big same && ln -s /etc/passwd link && tar -cf ../x.tar ./d ./big ./same ./link`,
    );
    const seen: [string, number][] = [];
    const digests = await receiveTar(createReadStream(join(dir, 'x.tar')), blobs, (path, size) =>
      seen.push([path, size]),
    );
    expect(seen).toEqual([
      ['d/a', 7],
      ['big', 3_000_000],
      ['same', 3_000_000],
    ]);
    expect([...digests.keys()]).toEqual(['d/a', 'big', 'same']);
    expect(digests.get('same')).toEqual(digests.get('big'));
    expect(await readFile(blobs.path(digests.get('d/a')?.sha256 ?? ''), 'utf8')).toBe('content');
  });

  test.for([
    ["names '..'", { name: '../x', body: 'x' }, "'..'"],
    ['names an absolute path', { name: '/x', body: 'x' }, 'absolute'],
    ['holds a device', { name: 'n', type: 'character-device' as const }, 'device'],
  ] as const)('is refused when it %s', async ([, part, rule], { blobs }) => {
    await expect(receiveTar(Readable.from([await tarOf(part)]), blobs)).rejects.toThrowError(rule);
  });

  test('is refused when cut off', async ({ blobs }) => {
    const tar = await tarOf({ name: 'a', body: Buffer.alloc(10_000) });
    for (const length of [0, 5000, 512 + 10_240]) {
      await expect(receiveTar(Readable.from([tar.subarray(0, length)]), blobs)).rejects.toThrowError('cut off');
    }
  });

  test('ends with the reason of an abort', async ({ blobs }) => {
    const abort = new AbortController();
    const stream = tarStream([await fileOf(blobs, 'big', randomBytes(20 * PIECE))], blobs);
    const receive = receiveTar(stream, blobs, undefined, abort.signal);
    stream.once('data', () => abort.abort(new Error('cancelled by somebody')));
    await expect(receive).rejects.toThrowError('cancelled by somebody');
    expect(stream.destroyed).toBe(true);
  });
});
