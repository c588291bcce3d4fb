import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { describe, expect } from 'vitest';
import { ZipFile } from 'yazl';
import { pathsOf } from '../testing/entries.js';
import { filesBelow, run, test } from '../testing/scratch.js';
import { ingestArchive } from './ingest.js';

const LIMIT = { maxBytes: 64 * 1024 * 1024 };
const SYMLINK = 0o120777;

/** Offsets in a zip's local header, in its directory record (APPNOTE 4.3.7, 4.3.12). */
const LOCAL = Buffer.from('PK\x03\x04');
const RECORD = Buffer.from('PK\x01\x02');

async function zipOf(fill: (zip: ZipFile) => void): Promise<Buffer> {
  const zip = new ZipFile();
  fill(zip);
  zip.end();
  return buffer(zip.outputStream);
}

/** A zip of one file, and changes to it that yazl would not make. */
async function oddZip(name: string, change: (zip: Buffer, local: number, record: number) => void): Promise<Buffer> {
  const zip = await zipOf((z) => z.addBuffer(Buffer.from('content '.repeat(20)), name));
  change(zip, zip.indexOf(LOCAL), zip.indexOf(RECORD));
  return zip;
}

/** Another name of the same length, in both places. */
function renamed(to: string, encoding: BufferEncoding = 'utf8') {
  return (zip: Buffer, local: number, record: number): void => {
    zip.write(to, local + 30, encoding);
    zip.write(to, record + 46, encoding);
  };
}

function withoutUtf8Flag(zip: Buffer, local: number, record: number): void {
  zip.writeUInt16LE(zip.readUInt16LE(local + 6) & ~0x800, local + 6);
  zip.writeUInt16LE(zip.readUInt16LE(record + 8) & ~0x800, record + 8);
}

function unixMode(mode: number, madeOn = 3) {
  return (zip: Buffer, _local: number, record: number): void => {
    zip.writeUInt16LE((madeOn << 8) | 63, record + 4);
    zip.writeUInt32LE((mode << 16) >>> 0, record + 38);
  };
}

describe('a zip', () => {
  test('keeps content, modes, times, directories and symlinks', async ({ dir, blobs }) => {
    const big = Buffer.alloc(3_000_000, 'abc');
    const mtime = new Date(1_600_000_000_000);
    const zip = await zipOf((z) => {
      z.addEmptyDirectory('empty', { mtime, mode: 0o40700 });
      z.addBuffer(Buffer.from('#!/bin/sh\n'), 'bin/start', { mtime, mode: 0o104755 });
      z.addBuffer(big, 'big', { mtime, mode: 0o100640 });
      z.addBuffer(big, '中文/stored', { mtime, mode: 0o100644, compress: false });
      z.addBuffer(Buffer.from('../bin/start'), 'empty/link', { mtime, mode: SYMLINK });
      z.addBuffer(Buffer.alloc(0), 'none', { mtime, mode: 0o100600 });
    });
    await writeFile(join(dir, 'x'), zip);
    const { manifest, format } = await ingestArchive(join(dir, 'x'), blobs, LIMIT);
    expect(format).toBe('zip');
    expect(manifest.entries.map(({ path, type, mode, size, target }) => [path, type, mode, size, target])).toEqual([
      ['big', 'file', 0o640, big.length, undefined],
      ['bin', 'dir', 0o755, 0, undefined],
      ['bin/start', 'file', 0o755, 10, undefined],
      ['empty', 'dir', 0o700, 0, undefined],
      ['empty/link', 'symlink', 0o777, 0, '../bin/start'],
      ['none', 'file', 0o600, 0, undefined],
      ['中文', 'dir', 0o755, 0, undefined],
      ['中文/stored', 'file', 0o644, big.length, undefined],
    ]);
    expect(new Set(manifest.entries.map((entry) => entry.mtime))).toEqual(new Set([1_600_000_000]));
    const sha256 = createHash('sha256').update(big).digest('hex');
    expect(manifest.entries[0]?.sha256).toBe(sha256);
    expect(big.equals(await readFile(blobs.path(sha256)))).toBe(true);
  });

  test('made by Info-ZIP keeps modes, times and symlinks', async ({ dir, blobs }) => {
    const tree = join(dir, 'tree');
    await mkdir(join(tree, 'd'), { recursive: true });
    await writeFile(join(tree, 'd/运行'), 'x'.repeat(1000));
    await chmod(join(tree, 'd/运行'), 0o750);
    await utimes(join(tree, 'd/运行'), 1_600_000_001, 1_600_000_001);
    await symlink('d/运行', join(tree, 'l'));
    await run('sh', '-c', `cd ${tree} && zip -qry ../x.zip .`);
    const { manifest } = await ingestArchive(join(dir, 'x.zip'), blobs, LIMIT);
    expect(pathsOf(manifest)).toEqual(['d/', 'd/运行', 'l -> d/运行']);
    expect(manifest.entries[1]).toMatchObject({ mode: 0o750, mtime: 1_600_000_001, size: 1000 });
  });

  test.for<[string, (zip: Buffer, local: number, record: number) => void, number]>([
    ['made on Windows', unixMode(0o100777, 0), 0o644],
    ['of a program that leaves modes out', unixMode(0), 0o644],
    ['of a program that leaves file types out', unixMode(0o600), 0o600],
    ['made on a Mac', unixMode(0o100750, 19), 0o750],
  ])('%s', async ([, change, mode], { dir, blobs }) => {
    await writeFile(join(dir, 'x'), await oddZip('a', change));
    expect((await ingestArchive(join(dir, 'x'), blobs, LIMIT)).manifest.entries).toMatchObject([{ path: 'a', mode }]);
  });

  test('may have UTF-8 names without saying so', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'x'), await oddZip('中文', withoutUtf8Flag));
    expect(pathsOf((await ingestArchive(join(dir, 'x'), blobs, LIMIT)).manifest)).toEqual(['中文']);
  });

  test.for<[string, () => Promise<Buffer>, string, string]>([
    ["'..'", () => oddZip('xx/abc', renamed('../abc')), '../abc', "'..'"],
    ['an absolute path', () => oddZip('xabc', renamed('/abc')), '/abc', 'absolute'],
    ['a backslash', () => oddZip('xx/abc', renamed('..\\abc')), '..\\abc', 'backslash'],
    ['a drive letter', () => oddZip('xx/abc', renamed('C:/abc')), 'C:/abc', 'drive'],
    ['a NUL', () => oddZip('abc', renamed('a\0c')), 'a\\x00c', 'NUL'],
    [
      'a name in GBK',
      () =>
        oddZip('abcd', (...at) => {
          renamed('\xd6\xd0\xce\xc4', 'latin1')(...at);
          withoutUtf8Flag(...at);
        }),
      'ÖÐÎÄ',
      'not UTF-8',
    ],
    [
      'a path twice',
      () =>
        zipOf((z) => {
          z.addBuffer(Buffer.from('1'), 'a');
          z.addBuffer(Buffer.from('2'), 'a');
        }),
      'a',
      'already',
    ],
    [
      'a file below a file',
      () =>
        zipOf((z) => {
          z.addBuffer(Buffer.from('1'), 'a');
          z.addBuffer(Buffer.from('2'), 'a/b');
        }),
      'a/b',
      'lies below a',
    ],
    [
      'a symlink with an absolute target',
      () => zipOf((z) => z.addBuffer(Buffer.from('/etc/passwd'), 'l', { mode: SYMLINK })),
      'l',
      'absolute',
    ],
    [
      'a symlink that leads out',
      () => zipOf((z) => z.addBuffer(Buffer.from('../x'), 'l', { mode: SYMLINK })),
      'l',
      'out of the tree',
    ],
    [
      'a symlink that is too long',
      () => zipOf((z) => z.addBuffer(Buffer.alloc(5000, 'x'), 'l', { mode: SYMLINK })),
      'l',
      'too long',
    ],
    [
      'a file written through a symlink',
      () =>
        zipOf((z) => {
          z.addBuffer(Buffer.from('.'), 'l', { mode: SYMLINK });
          z.addBuffer(Buffer.from('2'), 'l/b');
        }),
      'l/b',
      'lies below l',
    ],
    ['a device', () => oddZip('n', unixMode(0o020666)), 'n', 'device'],
    ['a socket', () => oddZip('n', unixMode(0o140666)), 'n', 'socket'],
    ['a directory with content', () => oddZip('n', unixMode(0o040755)), 'n', 'directory with content'],
    [
      'an encrypted entry',
      () =>
        oddZip('n', (zip, _, record) => {
          zip.writeUInt16LE(zip.readUInt16LE(record + 8) | 1, record + 8);
        }),
      'n',
      'encrypted',
    ],
    [
      'a wrong checksum',
      () =>
        oddZip('n', (zip, _, record) => {
          zip.writeUInt32LE(0x12345678, record + 16);
        }),
      'n',
      'checksum',
    ],
    [
      'a method nobody knows',
      () =>
        oddZip('n', (zip, _, record) => {
          zip.writeUInt16LE(99, record + 10);
        }),
      'n',
      'unsupported compression method',
    ],
    [
      'a size that is too small',
      () =>
        oddZip('n', (zip, _, record) => {
          zip.writeUInt32LE(10, record + 24);
        }),
      'n',
      'damaged',
    ],
    [
      'damaged content',
      () =>
        oddZip('n', (zip, local) => {
          zip.fill(0xff, local + 31, local + 36);
        }),
      'n',
      'damaged',
    ],
  ])('is refused as a whole for %s', async ([, make, where, rule], { dir, blobs }) => {
    await writeFile(join(dir, 'x'), await make());
    const refused = await ingestArchive(join(dir, 'x'), blobs, LIMIT).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'package', where, what: expect.stringContaining(rule) });
  });

  test('is refused when cut off, at any place', async ({ dir, blobs }) => {
    const zip = await zipOf((z) => {
      z.addBuffer(Buffer.alloc(100_000, 'abc'), 'a', { compress: false });
      z.addBuffer(Buffer.from('b'), 'b');
    });
    for (const length of [10, 50_000, zip.length - 60, zip.length - 10, zip.length - 1]) {
      await writeFile(join(dir, 'x'), zip.subarray(0, length));
      await expect(ingestArchive(join(dir, 'x'), blobs, LIMIT)).rejects.toMatchObject({ code: 'package' });
    }
  });

  test('encrypted by Info-ZIP is refused', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'a'), 'secret');
    await run('zip', '-qj', '-P', 'password', join(dir, 'x.zip'), join(dir, 'a'));
    await expect(ingestArchive(join(dir, 'x.zip'), blobs, LIMIT)).rejects.toThrowError('encrypted');
  });

  test('is refused when empty', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'x'), await zipOf(() => {}));
    await expect(ingestArchive(join(dir, 'x'), blobs, LIMIT)).rejects.toThrowError('empty archive');
  });

  test('over the limit is stopped before it is unpacked', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'x'), await zipOf((z) => z.addBuffer(Buffer.alloc(2_000_000), 'a')));
    await expect(ingestArchive(join(dir, 'x'), blobs, { maxBytes: 1_000_000 })).rejects.toBeInstanceOf(
      PackageTooLargeError,
    );
    expect(await filesBelow(join(dir, 'blobs'))).toEqual([]);
  });

  test('stops with the reason of an abort', async ({ dir, blobs }) => {
    await writeFile(join(dir, 'x'), await zipOf((z) => z.addBuffer(Buffer.alloc(30_000_000), 'a')));
    const abort = new AbortController();
    const ingest = ingestArchive(join(dir, 'x'), blobs, { ...LIMIT, signal: abort.signal });
    setImmediate(() => abort.abort(new Error('cancelled by somebody')));
    await expect(ingest).rejects.toThrowError('cancelled by somebody');
    expect(await filesBelow(join(dir, 'blobs'))).toEqual([]);
  });
});
