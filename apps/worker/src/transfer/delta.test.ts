import { type Manifest, type ManifestEntry, makeManifest } from '@rexdeploy/store/manifest';
import { describe, expect, test } from 'vitest';
import { difference, makeDelta, unchangedPart } from './delta.js';

const sha = (letter: string): string => letter.repeat(64);
const file = (path: string, content: string, more: Partial<{ mode: number; mtime: number; size: number }> = {}) =>
  ({ path, type: 'file', mode: 0o644, size: 10, mtime: 100, sha256: sha(content), ...more }) satisfies ManifestEntry;
const tree = (...entries: ManifestEntry[]): Manifest => makeManifest(entries);

describe('makeDelta', () => {
  test('keeps a file of equal content and mode, whatever its time, and takes over the time on the host', () => {
    const delta = makeDelta(tree(file('a', '1', { mtime: 5 })), tree(file('a', '1', { mtime: 999 })));
    expect(delta).toMatchObject({ keep: ['a'], send: [], sendBytes: 0 });
    expect(delta.target.entries[0]?.mtime).toBe(5);
  });

  test.each([
    ['other content', file('a', '2')],
    ['other mode', file('a', '1', { mode: 0o755 })],
  ])('sends a file of %s', (_, wanted) => {
    expect(makeDelta(tree(file('a', '1')), tree(wanted))).toMatchObject({ keep: [], sendBytes: 10 });
  });

  test('sends directories and links always and a file where a directory stood', () => {
    const wanted = tree(file('d', '1'), { path: 'l', type: 'symlink', mode: 0o777, size: 0, mtime: 1, target: 'd' });
    const delta = makeDelta(tree(file('d/x', '1')), wanted);
    expect(delta.send.map((entry) => entry.path)).toEqual(['d', 'l']);
  });
});

describe('unchangedPart', () => {
  const recorded = tree(file('a', '1', { mtime: 7 }));
  const listed = { type: 'file' as const, path: 'a', mode: 0o644, size: 10, mtime: '7.0000000000', target: '' };

  test('trusts a file whose type, mode, size and exact time are as they were placed', () => {
    expect(unchangedPart(recorded, [listed])).toEqual(recorded);
  });

  test.each([
    ['a later write within the same second', { mtime: '7.0000000001' }],
    ['another size', { size: 11 }],
    ['another mode', { mode: 0o600 }],
    ['another type', { type: 'symlink' as const }],
  ])('does not trust %s', (_, change) => {
    expect(unchangedPart(recorded, [{ ...listed, ...change }]).entries).toEqual([]);
  });

  test('does not trust what is gone', () => {
    expect(unchangedPart(recorded, []).entries).toEqual([]);
  });
});

test('difference counts files and links, not directories, and marks each path', () => {
  const base = tree(file('same', '1'), file('dir/changed', '1'), file('gone', '1'));
  const wanted = tree(file('same', '1', { mtime: 3 }), file('dir/changed', '2'), file('new', '3'));
  expect(difference(base, wanted)).toEqual({
    added: 1,
    changed: 1,
    removed: 1,
    unchanged: 1,
    bytes: 20,
    paths: ['~dir/changed', '+new', '-gone'],
  });
});
