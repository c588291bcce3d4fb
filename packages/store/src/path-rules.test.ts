import { describe, expect, test } from 'vitest';
import { checkSymlinks, keptMode, keptMtime, treePath } from './path-rules.js';
import { manifestOf } from './testing/entries.js';

describe('the path of an archive entry', () => {
  test.each([
    ['a', 'a'],
    ['./a', 'a'],
    ['a/', 'a'],
    ['a//b/./c', 'a/b/c'],
    ['./', ''],
    ['.', ''],
    ['..a/b..', '..a/b..'],
    ['中/é', '中/é'],
  ])('%j becomes %j', (name, path) => {
    expect(treePath(name, 'tar')).toBe(path);
    expect(treePath(name, 'zip')).toBe(path);
  });

  test.each([
    ['', 'no name'],
    ['/etc/passwd', 'absolute'],
    ['//x', 'absolute'],
    ['..', "'..'"],
    ['../x', "'..'"],
    ['a/../../x', "'..'"],
    ['a/..', "'..'"],
    ['a\0b', 'NUL'],
    ['a\nb', 'control character'],
    ['\x1b[2J', 'control character'],
    ['caf\ufffd', 'not UTF-8'],
    [`${'x'.repeat(256)}/a`, '255 bytes'],
    ['中'.repeat(86), '255 bytes'],
    [Array.from({ length: 50 }, () => 'x'.repeat(100)).join('/'), '4095 bytes'],
  ])('%j is refused', (name, rule) => {
    for (const format of ['tar', 'zip'] as const) expect(() => treePath(name, format)).toThrowError(rule);
  });

  test.each([
    ['..\\..\\x', 'backslash'],
    ['a\\b', 'backslash'],
    ['C:/x', 'drive'],
    ['c:x', 'drive'],
  ])('%j is refused in a zip and an ordinary name in a tar', (name, rule) => {
    expect(() => treePath(name, 'zip')).toThrowError(rule);
    expect(treePath(name, 'tar')).toBe(name);
  });

  test('control characters are made visible in the error', () => {
    expect(() => treePath('a\x1b[2Jb', 'tar')).toThrowError(expect.objectContaining({ where: 'a\\x1b[2Jb' }));
  });
});

describe('symlinks', () => {
  test.each([
    ['to a sibling', ['a -> b', 'b']],
    ['to something that is not there', ['a -> nowhere']],
    ['up, but not out', ['d/e/l -> ../../x', 'x']],
    ['to the root', ['d/l -> ..']],
    ['by way of another', ['d/cur -> v1', 'd/v1/f', 'l -> d/cur/f']],
    ['up by way of another that is deeper', ['s -> a/b/c', 'a/b/c/f', 'l -> s/../../x']],
  ])('may lead %s', (_, forms) => {
    expect(() => check(forms)).not.toThrow();
  });

  test.each([
    ['to an absolute path', ['a -> /etc/passwd'], 'absolute'],
    ['out of the tree', ['d/a -> ../../x'], 'out of the tree'],
    ['out and in again', ['a -> ../tree/x'], 'out of the tree'],
    ['out by way of another', ['s -> d', 'd/x', 'e/f/l -> ../../s/../../x'], 'out of the tree'],
    [
      'out by way of one that stands higher than it looks',
      ['a/b/c/up -> ../../..', 'l -> a/b/c/up/../x'],
      'out of the tree',
    ],
    ['in a circle', ['a -> b', 'b -> a'], 'circle'],
    ['to themselves', ['a -> a/x'], 'circle'],
    ['to a name with a line end', ['a -> b\nc'], 'control character'],
  ])('must not lead %s', (_, forms, rule) => {
    expect(() => check(forms)).toThrowError(rule);
  });

  function check(forms: string[]): void {
    checkSymlinks(new Map(manifestOf(...forms).entries.map((entry) => [entry.path, entry])));
  }
});

test('setuid and setgid are dropped, the sticky bit stays', () => {
  expect(keptMode(0o104755)).toBe(0o755);
  expect(keptMode(0o7777)).toBe(0o1777);
});

test.each([
  [1.9, 1],
  [-5, 0],
  [Number.NaN, 0],
  [1e15, 0o77777777777],
])('a time of %d becomes %d', (seconds, kept) => {
  expect(keptMtime(seconds)).toBe(kept);
});
