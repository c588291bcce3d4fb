import { createHash } from 'node:crypto';
import { chmod, link, lstat, mkdir, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { describe, expect } from 'vitest';
import { pathsOf } from '../testing/entries.js';
import { filesBelow, run, test } from '../testing/scratch.js';
import { patchHeader, type TarPart, tarOf } from '../testing/tars.js';
import { ingestArchive } from './ingest.js';

const LIMIT = { maxBytes: 64 * 1024 * 1024 };
const LONG = `${'long-'.repeat(30)}dir/${'name-'.repeat(30)}中文.txt`;

describe.each(['gnu', 'pax', 'ustar'])('a real tar in %s format', (format) => {
  test.for([false, true])('keeps content, modes, times and symlinks (gzipped: %s)', async (gzipped, { dir, blobs }) => {
    const tree = join(dir, 'tree');
    await mkdir(join(tree, 'bin'), { recursive: true });
    await mkdir(join(tree, 'empty'), { mode: 0o700 });
    await writeFile(join(tree, 'bin/start'), '#!/bin/sh\n');
    await chmod(join(tree, 'bin/start'), 0o4755);
    await writeFile(join(tree, 'big'), Buffer.alloc(3_000_000, 'abcdefg'));
    await writeFile(join(tree, 'none'), '');
    await utimes(join(tree, 'big'), 1_600_000_000, 1_600_000_000.75);
    await symlink('../bin/start', join(tree, 'empty/link'));
    await link(join(tree, 'big'), join(tree, 'same'));
    const paths = ['bin/', 'bin/start', 'big', 'empty/', 'empty/link -> ../bin/start', 'none', 'same'];
    if (format !== 'ustar') {
      await mkdir(join(tree, LONG, '..'), { recursive: true });
      await writeFile(join(tree, LONG), 'long');
      await symlink(`./${LONG}`, join(tree, 'to-long'));
      paths.push(`${LONG.split('/')[0]}/`, LONG, `to-long -> ./${LONG}`);
    }
    const file = join(dir, 'x.bin');
    await run('tar', '-C', tree, `--format=${format}`, gzipped ? '-czf' : '-cf', file, '.');

    const { manifest, format: found } = await ingestArchive(file, blobs, LIMIT);

    expect(found).toBe(gzipped ? 'tar.gz' : 'tar');
    expect(pathsOf(manifest).sort()).toEqual(paths.sort());
    for (const entry of manifest.entries) {
      const real = await lstat(join(tree, entry.path));
      expect(entry.mtime, entry.path).toBe(Math.floor(real.mtimeMs / 1000));
      expect(entry.mode, entry.path).toBe(real.mode & 0o1777);
      if (entry.type !== 'file') continue;
      const content = await readFile(join(tree, entry.path));
      expect(entry.size).toBe(content.length);
      expect(entry.sha256).toBe(createHash('sha256').update(content).digest('hex'));
      expect(content.equals(await readFile(blobs.path(entry.sha256)))).toBe(true);
    }
    const { sha256: start } = manifest.entries.find(({ path }) => path === 'bin/start') ?? {};
    expect((await lstat(blobs.path(start ?? ''))).mode & 0o7777).toBe(0o440);
  });

  test('is refused when it holds a sparse file', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'hole'), '');
    await truncate(join(dir, 'hole'), 10_000_000);
    await run(
      'tar',
      '-C',
      dir,
      `--format=${format === 'ustar' ? 'oldgnu' : format}`,
      '-cSf',
      join(dir, 'x.tar'),
      'hole',
    );
    await expect(ingestArchive(join(dir, 'x.tar'), blobs, LIMIT)).rejects.toThrowError(/sparse/);
  });
});

describe('a tar', () => {
  test.for<[string, TarPart[], string[]]>([
    ['may leave out directories', [{ name: 'a/b/c', body: '1' }], ['a/', 'a/b/', 'a/b/c']],
    [
      'keeps a single top directory',
      [
        { name: 'top/', type: 'directory' },
        { name: 'top/a', body: '1' },
      ],
      ['top/', 'top/a'],
    ],
    [
      "is the same with './'",
      [
        { name: './', type: 'directory' },
        { name: './a', body: '1' },
      ],
      ['a'],
    ],
    [
      'may state a directory after its files, and twice',
      [
        { name: 'd/f', body: '1' },
        { name: 'd', type: 'directory', mode: 0o700 },
        { name: './d/', type: 'directory', mode: 0o750 },
      ],
      ['d/', 'd/f'],
    ],
    [
      'may link hard to a link inside',
      [
        { name: 'a', body: '1' },
        { name: 'd/b', type: 'link', linkname: './a' },
        { name: 'c', type: 'link', linkname: 'd/b' },
      ],
      ['a', 'c', 'd/', 'd/b'],
    ],
    [
      'may link hard to a symlink',
      [
        { name: 'a', type: 'symlink', linkname: 'x' },
        { name: 'b', type: 'link', linkname: 'a' },
      ],
      ['a -> x', 'b -> x'],
    ],
  ])('%s', async ([, parts, expected], { dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, await tarOf(...parts));
    expect(pathsOf((await ingestArchive(file, blobs, LIMIT)).manifest)).toEqual(expected);
  });

  test('gives a hard link the content and mode of what it names', async ({ dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(
      file,
      await tarOf({ name: 'a', body: 'content', mode: 0o751 }, { name: 'b', type: 'link', linkname: 'a' }),
    );
    const [a, b] = (await ingestArchive(file, blobs, LIMIT)).manifest.entries;
    expect(b).toEqual({ ...a, path: 'b' });
    expect(a).toMatchObject({ mode: 0o751, size: 7 });
  });

  test('gives a directory that it does not state mode 0755', async ({ dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, await tarOf({ name: 'd/a', body: '', mode: 0o600, mtime: new Date(5000) }));
    const [d] = (await ingestArchive(file, blobs, LIMIT)).manifest.entries;
    expect(d).toEqual({ path: 'd', type: 'dir', mode: 0o755, size: 0, mtime: 5 });
  });

  test.for<[string, TarPart[], string, string]>([
    ['an absolute path', [{ name: '/etc/cron.d/x', body: 'x' }], '/etc/cron.d/x', 'absolute'],
    ["'..'", [{ name: '../x', body: 'x' }], '../x', "'..'"],
    ["a hidden '..'", [{ name: 'a/b/../../../x', body: 'x' }], 'a/b/../../../x', "'..'"],
    ['a symlink with an absolute target', [{ name: 'l', type: 'symlink', linkname: '/etc' }], 'l', 'absolute target'],
    ['a symlink that leads out', [{ name: 'd/l', type: 'symlink', linkname: '../../x' }], 'd/l', 'out of the tree'],
    [
      'a file written through a symlink',
      [
        { name: 'l', type: 'symlink', linkname: '.' },
        { name: 'l/x', body: 'x' },
      ],
      'l/x',
      'lies below l, which is a symlink',
    ],
    [
      'a file below a file',
      [
        { name: 'f', body: 'f' },
        { name: 'f/x', body: 'x' },
      ],
      'f/x',
      'lies below f',
    ],
    [
      'a symlink in place of a directory',
      [
        { name: 'd/x', body: 'x' },
        { name: 'd', type: 'symlink', linkname: '.' },
      ],
      'd',
      'already has a directory',
    ],
    [
      'a directory in place of a file',
      [
        { name: 'd', body: 'x' },
        { name: 'd', type: 'directory' },
      ],
      'd',
      'already has a file',
    ],
    [
      'a path twice',
      [
        { name: 'a', body: '1' },
        { name: './a', body: '2' },
      ],
      './a',
      'already has a file',
    ],
    ['a hard link out', [{ name: 'h', type: 'link', linkname: '../x' }], '../x', "'..'"],
    [
      'a hard link to an absolute path',
      [{ name: 'h', type: 'link', linkname: '/etc/passwd' }],
      '/etc/passwd',
      'absolute',
    ],
    ['a hard link to what is not there', [{ name: 'h', type: 'link', linkname: 'x' }], 'h', 'not there'],
    ['a hard link to itself', [{ name: 'h', type: 'link', linkname: 'h' }], 'h', 'not there'],
    [
      'a hard link to a directory',
      [
        { name: 'd', type: 'directory' },
        { name: 'h', type: 'link', linkname: 'd' },
      ],
      'h',
      'to a directory',
    ],
    [
      'a character device',
      [{ name: 'n', type: 'character-device', devmajor: 1, devminor: 3 }],
      'n',
      'character device',
    ],
    ['a block device', [{ name: 'n', type: 'block-device', devmajor: 8 }], 'n', 'block device'],
    ['a named pipe', [{ name: 'p', type: 'fifo' }], 'p', 'named pipe'],
    ['a root that is no directory', [{ name: './', type: 'symlink', linkname: 'x' }], './', 'root'],
    ['a line end in a name', [{ name: 'a\nb', body: 'x' }], 'a\\x0ab', 'control character'],
  ])('is refused as a whole for %s', async ([, parts, where, rule], { dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, await tarOf({ name: 'good', body: 'good' }, ...parts));
    const refused = await ingestArchive(file, blobs, LIMIT).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'package', where, what: expect.stringContaining(rule) });
  });

  test('is refused for a name that is not UTF-8', async ({ dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, patchHeader(await tarOf({ name: 'aa', body: 'x' }), 0, 0, '\xd6\xd0'));
    await expect(ingestArchive(file, blobs, LIMIT)).rejects.toThrowError('not UTF-8');
  });

  test('is refused for a NUL in a pax path', async ({ dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, await tarOf({ name: 'x', body: 'x', pax: { path: 'a\0b' } }));
    await expect(ingestArchive(file, blobs, LIMIT)).rejects.toThrowError('NUL');
  });

  test.for([
    ['a sparse file', 'S'],
    ['a type of one vendor', 'M'],
  ])('is refused for %s', async ([, flag = ''], { dir, blobs }) => {
    const file = join(dir, 'x.tar');
    await writeFile(file, patchHeader(await tarOf({ name: 'a', body: 'x' }), 0, 156, flag));
    await expect(ingestArchive(file, blobs, LIMIT)).rejects.toMatchObject({ where: 'a', code: 'package' });
  });

  test('is refused when empty', async ({ dir, blobs }) => {
    for (const parts of [[], [{ name: './', type: 'directory' } as const]]) {
      await writeFile(join(dir, 'x.tar'), await tarOf(...parts));
      await expect(ingestArchive(join(dir, 'x.tar'), blobs, LIMIT)).rejects.toThrowError('empty archive');
    }
  });
});

describe('a damaged archive is refused:', () => {
  const whole = tarOf(
    { name: 'a', body: Buffer.concat([Buffer.alloc(50_000, 'a'), Buffer.alloc(50_000)]) },
    { name: 'b', body: 'b' },
  );
  const random = Buffer.from(Array.from({ length: 90_000 }, (_, i) => (i * 7919 + (i >> 3)) & 255));

  test.for<[string, (tar: Buffer) => Buffer]>([
    ['a tar cut off inside a file', (tar) => tar.subarray(0, 50_000)],
    ['a tar cut off inside a header', (tar) => tar.subarray(0, 300 + 512 + 100_352)],
    ['a tar cut off between two entries', (tar) => tar.subarray(0, 512 + 100_352)],
    ['a tar without its end mark', (tar) => tar.subarray(0, tar.length - 1024)],
    ['a tar with a flipped bit in a header', (tar) => flipped(tar, 20)],
    [
      'a tar with a header that is not one',
      (tar) => Buffer.concat([tar.subarray(0, 512 + 100_352), Buffer.alloc(512, 'x'), tar.subarray(-1024)]),
    ],
    ['a gzip cut off', (tar) => gzipSync(tar).subarray(0, -20)],
    ['a gzip cut off in its checksum', (tar) => gzipSync(tar).subarray(0, -4)],
    ['a gzip with a flipped bit', (tar) => flipped(gzipSync(Buffer.concat([tar.subarray(0, 512), random])), 5000)],
    ['a gzip with a wrong checksum', (tar) => flipped(gzipSync(tar), -6)],
    ['a gzip of something else', () => gzipSync(Buffer.alloc(2000, 'not a tar'))],
    ['a gzip of nothing', () => gzipSync(Buffer.alloc(0))],
  ])('%s', async ([, damage], { dir, blobs }) => {
    await writeFile(join(dir, 'x'), damage(await whole));
    const refused = await ingestArchive(join(dir, 'x'), blobs, LIMIT).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'package' });
    expect(await filesBelow(join(dir, 'blobs/tmp'))).toEqual([]);
  });

  function flipped(bytes: Buffer, at: number): Buffer {
    const copy = Buffer.from(bytes);
    const index = (at + copy.length) % copy.length;
    copy[index] = (copy[index] ?? 0) ^ 1;
    return copy;
  }
});

describe('the limit', () => {
  const MAX = { maxBytes: 1_000_000 };

  test('lets exactly that much pass', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'x'), await tarOf({ name: 'a', body: Buffer.alloc(999_999) }, { name: 'b', body: '1' }));
    await expect(ingestArchive(join(dir, 'x'), blobs, MAX)).resolves.toBeDefined();
  });

  test.for<[string, TarPart[]]>([
    ['one file', [{ name: 'a', body: Buffer.alloc(1_000_001) }]],
    ['many files', Array.from({ length: 11 }, (_, i) => ({ name: `f${i}`, body: Buffer.alloc(100_000) }))],
    [
      'hard links',
      [
        { name: 'a', body: Buffer.alloc(400_000) },
        ...['b', 'c'].map((name) => ({ name, type: 'link', linkname: 'a' }) as const),
      ],
    ],
  ])('stops %s', async ([, parts], { dir, blobs }) => {
    await writeFile(join(dir, 'x'), await tarOf(...parts));
    await expect(ingestArchive(join(dir, 'x'), blobs, MAX)).rejects.toBeInstanceOf(PackageTooLargeError);
  });

  test('stops a gzip bomb of one file before its content is unpacked', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'zeros'), '');
    await truncate(join(dir, 'zeros'), 300_000_000);
    await run('tar', '-C', dir, '-czf', join(dir, 'x'), 'zeros');
    await expect(ingestArchive(join(dir, 'x'), blobs, MAX)).rejects.toBeInstanceOf(PackageTooLargeError);
    expect(await filesBelow(join(dir, 'blobs'))).toEqual([]);
  });

  test('stops a gzip bomb of zeros after the end', async ({ dir, blobs }) => {
    const tar = gzipSync(await tarOf({ name: 'a', body: 'a' }));
    const zeros = gzipSync(Buffer.alloc(20_000_000));
    await writeFile(join(dir, 'x'), Buffer.concat([tar, zeros]));
    expect(gunzipSync(await readFile(join(dir, 'x'))).length).toBeGreaterThan(20_000_000);
    await expect(ingestArchive(join(dir, 'x'), blobs, MAX)).rejects.toBeInstanceOf(PackageTooLargeError);
  });
});

test('an abort stops the ingest with its reason and leaves nothing unfinished', async ({ dir, blobs }) => {
  await writeFile(join(dir, 'x'), await tarOf({ name: 'a', body: Buffer.alloc(30_000_000) }));
  const abort = new AbortController();
  const ingest = ingestArchive(join(dir, 'x'), blobs, { ...LIMIT, signal: abort.signal });
  setImmediate(() => abort.abort(new Error('cancelled by somebody')));
  await expect(ingest).rejects.toThrowError('cancelled by somebody');
  expect(await filesBelow(join(dir, 'blobs'))).toEqual([]);
});

test('a failing disk is not taken for a damaged archive', async ({ dir, blobs }) => {
  await writeFile(join(dir, 'x'), await tarOf({ name: 'a', body: 'a' }));
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
  const broken = Object.assign(Object.create(blobs), {
    putBuffer: () => ({ sha256: '0'.repeat(64), size: 1, stored: Promise.reject(full) }),
  });
  await expect(ingestArchive(join(dir, 'x'), broken, LIMIT)).rejects.toBe(full);
});
