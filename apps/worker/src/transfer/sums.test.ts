import type { ManifestEntry } from '@rexdeploy/store/manifest';
import { describe, expect, test } from 'vitest';
import { sumLists } from './sums.js';

const MIB = 1024 ** 2;
const SHA = 'a'.repeat(64);
const file = (path: string, size: number): ManifestEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  mtime: 1,
  size,
  sha256: SHA,
});
const dir = (path: string): ManifestEntry => ({ path, type: 'dir', mode: 0o755, mtime: 1, size: 0 });

describe('sums of what is sent', () => {
  test('of little are checked when all is there', () => {
    expect(sumLists([dir('tree/d'), file('tree/d/a', MIB), file('tree/b', 5)])).toEqual({
      lists: [],
      unlisted: `${SHA} *tree/d/a\n${SHA} *tree/b\n`,
    });
  });

  test('of much come in lists, each behind the files it tells of', () => {
    const entries = [
      file('tree/a', 10 * MIB),
      file('tree/b', 7 * MIB),
      dir('tree/d'),
      file('tree/d/c', 1),
      dir('tree/e'),
    ];
    expect(sumLists(entries)).toEqual({
      lists: [
        { end: 2, text: `${SHA} *tree/a\n${SHA} *tree/b\n` },
        { end: 5, text: `${SHA} *tree/d/c\n` },
      ],
      unlisted: '',
    });
  });

  test('of names that programs write differently are left to sha256sum', () => {
    const { lists, unlisted } = sumLists([file('tree/a\\b', 3 * MIB), file('tree/c\nd', 1), file('tree/e', 1)]);
    expect(lists).toEqual([{ end: 3, text: `${SHA} *tree/e\n` }]);
    expect(unlisted).toBe(`\\${SHA} *tree/a\\\\b\n\\${SHA} *tree/c\\nd\n`);
  });

  test('tell of every file exactly once, however large all is', () => {
    const entries = Array.from({ length: 100 }, (_, at) => file(`tree/${at}`, (at % 7) * 9 * MIB));
    const { lists, unlisted } = sumLists(entries);
    expect(lists.map(({ text }) => text).join('') + unlisted).toBe(
      entries.map(({ path, sha256 }) => `${sha256} *${path}\n`).join(''),
    );
    expect(lists.at(-1)?.end).toBe(100);
    expect(lists.length).toBeLessThan(20);
  });
});
