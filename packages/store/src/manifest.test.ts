import { describe, expect, test } from 'vitest';
import { fileCount, makeManifest, manifestId, parseManifest, serializeManifest, totalSize } from './manifest.js';
import { manifestOf, pathsOf } from './testing/entries.js';

const TREE = manifestOf('a b/中.txt = 12345', 'empty/', 'link -> a b', 'z = 1');
const LINES = serializeManifest(TREE).split('\n').slice(0, -1);
const FILE = `{"path":"a","type":"file","mode":420,"size":1,"mtime":0,"sha256":"${'0'.repeat(64)}"}`;

describe('a manifest', () => {
  test('is read back as it was written', () => {
    expect(parseManifest(serializeManifest(TREE))).toEqual(TREE);
    expect(parseManifest('')).toEqual({ entries: [] });
  });

  test('has an id that never changes, whatever order its entries came in', () => {
    expect(manifestId(makeManifest([...TREE.entries].reverse()))).toBe(manifestId(TREE));
    expect(manifestId(TREE)).toBe('4ba9341024ff6387c47793b42d443707ecce95bc7a77c226a3f4170641e522c9');
    expect(LINES[2]).toBe(`{"path":"empty","type":"dir","mode":493,"size":0,"mtime":1700000000}`);
    expect(LINES[3]).toBe(`{"path":"link","type":"symlink","mode":511,"size":0,"mtime":1700000000,"target":"a b"}`);
    expect(manifestId({ entries: [] })).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('lists the parents of everything', () => {
    expect(pathsOf(manifestOf('a/b/c'))).toEqual(['a/', 'a/b/', 'a/b/c']);
  });

  test.each([
    ['a path twice', ['a', 'a']],
    ['a file below a file', ['a', 'a/b']],
    ['a file below a symlink', ['a -> .', 'a/b']],
  ])('cannot have %s', (_, forms) => {
    expect(() => manifestOf(...forms)).toThrowError(expect.objectContaining({ code: 'package' }));
  });

  test('knows how much it holds', () => {
    expect(totalSize(TREE)).toBe(6);
    expect(fileCount(TREE)).toBe(2);
  });

  test.each([
    ['a last line without end', LINES.join('\n'), 'cut off'],
    ['something else than JSON', 'hello\n', 'manifest line 1: not JSON'],
    ['an unknown key', `${FILE.replace('"mode"', '"modes"')}\n`, 'manifest line 1'],
    ['a file without digest', `${FILE.replace(/,"sha256.*"/, '')}\n`, 'sha256'],
    ['a negative size', `${FILE.replace('"size":1', '"size":-1')}\n`, 'size'],
    ['a path out of the tree', `${FILE.replace('"a"', '"../a"')}\n`, 'path: not a path inside the tree'],
    ['lines out of order', `${FILE.replace('"a"', '"b"')}\n${FILE}\n`, 'manifest line 2: a is not in order'],
    ['a path twice', `${FILE}\n${FILE}\n`, 'manifest line 2: a is not in order'],
    ['a file that no directory holds', `${FILE.replace('"a"', '"a/b"')}\n`, 'no directory holds a/b'],
    ['a file below a file', `${FILE}\n${FILE.replace('"a"', '"a/b"')}\n`, 'no directory holds a/b'],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseManifest(text)).toThrowError(expect.objectContaining({ code: 'package' }));
    expect(() => parseManifest(text)).toThrowError(message);
  });
});
