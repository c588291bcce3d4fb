/** Archives that must be refused, one per way of doing harm. Each also holds a harmless `good.txt`. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import { mustRun } from './command.js';

/** Where the harmful entries point to; nothing there may appear. */
export const EVIL_NAME = 'rex-evil-mark';

type TarEntry = { header: Partial<Header> & { name: string }; body?: string };

const TAR_EVIL = {
  parent: [{ header: { name: `../${EVIL_NAME}` }, body: 'out' }],
  'hidden-parent': [{ header: { name: `a/b/../../../${EVIL_NAME}` }, body: 'out' }],
  absolute: [{ header: { name: `/tmp/${EVIL_NAME}` }, body: 'out' }],
  'symlink-out': [{ header: { name: 'link', type: 'symlink', linkname: `../../${EVIL_NAME}` } }],
  'symlink-absolute': [{ header: { name: 'link', type: 'symlink', linkname: '/etc/passwd' } }],
  /** The link comes first and the file is written through it. */
  'through-symlink': [
    { header: { name: 'dir', type: 'symlink', linkname: '..' } },
    { header: { name: `dir/${EVIL_NAME}` }, body: 'out' },
  ],
  'hardlink-out': [{ header: { name: 'hard', type: 'link', linkname: `../${EVIL_NAME}` } }],
  'hardlink-absolute': [{ header: { name: 'hard', type: 'link', linkname: '/etc/passwd' } }],
  device: [{ header: { name: 'device', type: 'character-device', devmajor: 1, devminor: 3 } }],
  fifo: [{ header: { name: 'pipe', type: 'fifo' } }],
  duplicate: [
    { header: { name: 'same.txt' }, body: 'first' },
    { header: { name: 'same.txt' }, body: 'second' },
  ],
  'control-character': [{ header: { name: 'line\nbreak.txt' }, body: 'x' }],
  truncated: [{ header: { name: 'long.txt' }, body: 'x'.repeat(200_000) }],
} satisfies Record<string, TarEntry[]>;

const ZIP_EVIL = ['parent', 'absolute', 'symlink-out', 'truncated'] as const;

export type EvilTar = keyof typeof TAR_EVIL;
export type EvilZip = (typeof ZIP_EVIL)[number];

export const EVIL_TARS = Object.keys(TAR_EVIL) as EvilTar[];
export const EVIL_ZIPS: readonly EvilZip[] = ZIP_EVIL;

/** A `.tar`, or a `.tar.gz` when the file name ends with `gz`. */
export async function evilTar(file: string, kind: EvilTar): Promise<void> {
  const entries: TarEntry[] = [{ header: { name: 'good.txt' }, body: 'good' }, ...TAR_EVIL[kind]];
  const archive = pack();
  for (const { header, body } of entries) archive.entry(header, body ?? '');
  archive.finalize();
  await writeTo(file, archive);
  if (kind === 'truncated') await cutInHalf(file);
}

export async function evilZip(file: string, kind: EvilZip): Promise<void> {
  const archive = new ZipFile();
  archive.addBuffer(Buffer.from('good'), 'good.txt');
  if (kind === 'symlink-out') archive.addBuffer(Buffer.from(`../../${EVIL_NAME}`), 'link', { mode: 0o120777 });
  else if (kind === 'truncated') archive.addBuffer(Buffer.alloc(200_000, 'x'), 'long.txt', { compress: false });
  // The packer refuses such names, so they are put in afterwards, in place of names of the same length.
  else archive.addBuffer(Buffer.from('out'), kind === 'parent' ? `__/${EVIL_NAME}` : `_tmp/${EVIL_NAME}`);
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(file));
  if (kind === 'truncated') await cutInHalf(file);
  if (kind === 'parent') await replaceInside(file, `__/${EVIL_NAME}`, `../${EVIL_NAME}`);
  if (kind === 'absolute') await replaceInside(file, `_tmp/${EVIL_NAME}`, `/tmp/${EVIL_NAME}`);
}

/** A small `.tar.gz` of one file that unpacks to `sizeBytes` zeros. */
export async function bombTarGz(file: string, sizeBytes: number): Promise<void> {
  const dir = await mkdtemp(`${file}-`);
  try {
    await writeFile(join(dir, 'zeros'), '');
    await truncate(join(dir, 'zeros'), sizeBytes);
    await mustRun('tar', ['-C', dir, '-czf', file, 'zeros']);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeTo(file: string, archive: AsyncIterable<unknown>): Promise<void> {
  if (file.endsWith('gz')) await pipeline(archive, createGzip(), createWriteStream(file));
  else await pipeline(archive, createWriteStream(file));
}

async function cutInHalf(file: string): Promise<void> {
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, Math.floor(whole.length / 2)));
}

async function replaceInside(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'latin1');
  await writeFile(file, text.replaceAll(from, to), 'latin1');
}
