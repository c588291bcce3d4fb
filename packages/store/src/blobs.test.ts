import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import { describeBlobStore } from './blobs.contract.js';
import { FolderBlobStore } from './blobs.js';
import { tempPath } from './temp-files.js';
import { filesBelow, test } from './testing/scratch.js';

describeBlobStore('a folder of blobs', (dir) => FolderBlobStore.open(join(dir, 'blobs')));

const LONG_AGO = new Date(Date.now() - 7 * 24 * 3_600_000);
const text = (content: string): Readable => Readable.from([Buffer.from(content)]);

test('blobs are read-only files in folders of their first two digits, and nothing else is left', async ({
  dir,
  blobs,
}) => {
  const { sha256 } = await blobs.put(text('x'));
  await blobs.put(text('x'));
  await blobs.put(Readable.from([Buffer.alloc(2_000_000)]));
  await blobs.put(Readable.from([Buffer.alloc(2_000_000)]));
  expect(await filesBelow(join(dir, 'blobs'))).toHaveLength(2);
  expect(blobs.path(sha256)).toBe(join(dir, 'blobs', sha256.slice(0, 2), sha256));
  expect((await stat(blobs.path(sha256))).mode & 0o777).toBe(0o440);
});

test('a blob that is put again is not written again, but counts as new', async ({ blobs }) => {
  const { sha256 } = await blobs.put(text('x'));
  await utimes(blobs.path(sha256), LONG_AGO, LONG_AGO);
  const before = await stat(blobs.path(sha256));
  await blobs.put(text('x'));
  const after = await stat(blobs.path(sha256));
  expect(after.ino).toBe(before.ino);
  expect(await blobs.sweep(new Set(), new Date(Date.now() - 60_000))).toMatchObject({ removed: 0 });
});

test('a blob that a power failure emptied is written again', async ({ blobs }) => {
  const { sha256 } = await blobs.put(text('whole'));
  await blobs.remove(sha256);
  await writeFile(blobs.path(sha256), '');
  await blobs.put(text('whole'));
  expect((await stat(blobs.path(sha256))).size).toBe(5);
});

test('opening clears away what dead processes left, and nothing of living ones', async ({ dir }) => {
  await FolderBlobStore.open(dir);
  const mine = tempPath(join(dir, 'tmp'));
  const [host = '', , started = ''] = mine.slice(dir.length + '/tmp/'.length).split('~');
  const name = (pid: number, start: string): string => join(dir, 'tmp', `${host}~${pid}~${start}~00ff`);
  const foreign = join(dir, 'tmp', `elsewhere~1~5~00ff`);
  const foreignOld = join(dir, 'tmp', `elsewhere~2~5~00ff`);
  // No process has a pid beyond the kernel's largest, 2^22.
  for (const file of [mine, name(4_194_305, started), name(process.pid, '1'), foreign, foreignOld])
    await writeFile(file, '');
  await utimes(foreignOld, LONG_AGO, LONG_AGO);
  await FolderBlobStore.open(dir);
  expect(await filesBelow(dir)).toEqual([mine, foreign].map((file) => file.slice(dir.length + 1)).sort());
});
