import { expect, test } from 'vitest';
import { checkSpace, findOverfull, type Need, sizeOf } from './space.js';

const MIB = 1024 ** 2;
const need = (instance: string, mib: number, more: Partial<Need> = {}): Need => ({
  instance,
  host: 'h1:22',
  place: `/srv/${instance}`,
  bytes: mib * MIB,
  inodes: 10,
  disk: { device: '1', freeBytes: 100 * MIB, freeInodes: 1000 },
  ...more,
});
const fails = (...needs: Need[]): string[][] =>
  findOverfull(needs).map((group) => group.map(({ instance }) => instance));

test('a tree takes whole blocks, and an inode for each entry', () => {
  const facts = { mode: 0o644, mtime: 1 };
  const entries = [
    { ...facts, path: 'd', type: 'dir' as const, size: 0 },
    { ...facts, path: 'd/f', type: 'file' as const, size: 1, sha256: 'a'.repeat(64) },
    { ...facts, path: 'd/l', type: 'symlink' as const, size: 0, target: 'f' },
  ];
  expect(sizeOf(entries)).toEqual({ bytes: 8192, inodes: 3 });
});

test('instances of one file system are added together, with one reserve; other disks and hosts are not', () => {
  expect(fails(need('a', 80))).toEqual([]);
  expect(fails(need('a', 85))).toEqual([['a']]);
  expect(fails(need('a', 42), need('b', 42))).toEqual([]);
  expect(fails(need('a', 43), need('b', 42))).toEqual([['a', 'b']]);
  const elsewhere = { device: '2', freeBytes: 100 * MIB, freeInodes: 1000 };
  expect(fails(need('a', 60), need('b', 60, { disk: elsewhere }))).toEqual([]);
  expect(fails(need('a', 60), need('b', 60, { host: 'h2:22' }))).toEqual([]);
});

test('inodes count as well, unless the file system counts none', () => {
  expect(fails(need('a', 1, { inodes: 937 }))).toEqual([['a']]);
  expect(fails(need('a', 1, { inodes: 937, disk: { device: '1', freeBytes: 100 * MIB } }))).toEqual([]);
  expect(fails(need('a', 937, { disk: { device: '1' } }))).toEqual([]);
});

test('the message tells who needs how much, where, and what is there', () => {
  expect(() => checkSpace('h1', [need('a', 50), need('b', 50), need('b', 10, { inodes: 2000 })])).toThrow(
    `h1: a and b need ${126 * MIB} bytes beside /srv/a, ${100 * MIB} are available, and 2084 inodes beside /srv/a, 1000 are available`,
  );
});
