import { describe, expect, test } from 'vitest';
import { exclude } from './exclude.js';
import { manifestOf, pathsOf } from './testing/entries.js';

const DEFAULTS = ['*.log', '*.tmp', '*.sw*', 'nohup.out', '.svn'];

describe('excluding', () => {
  test.each([
    [
      'the usual leftovers, anywhere',
      DEFAULTS,
      ['a.log', 'd/b.log', 'd/.x.swp', 'nohup.out', 'e/.svn/entries', 'keep'],
      ['d/', 'e/', 'keep'],
    ],
    [
      'a directory takes its subtree along',
      ['node_modules'],
      ['node_modules/a/b', 'x/node_modules/c', 'nodes'],
      ['nodes', 'x/'],
    ],
    ['a pattern stands for the whole name', ['log'], ['log', 'a.log', 'logs'], ['a.log', 'logs']],
    ["'*' stops at '/'", ['a/*.txt'], ['a/b/c.txt', 'a/x.txt'], ['a/', 'a/b/', 'a/b/c.txt']],
    ["'**' does not", ['a/**.txt'], ['a/b/c.txt', 'a/x.txt'], ['a/', 'a/b/']],
    ["a leading '/' means the root", ['/tmp'], ['tmp/x', 'a/tmp/y'], ['a/', 'a/tmp/', 'a/tmp/y']],
    [
      "a '/' inside is held against the end of the path",
      ['x/y'],
      ['x/y', 'a/x/y', 'ax/y'],
      ['a/', 'a/x/', 'ax/', 'ax/y', 'x/'],
    ],
    ["a trailing '/' means directories", ['cache/'], ['a/cache', 'cache/x'], ['a/', 'a/cache']],
    [
      "'?' and sets",
      ['?.[ch]', '[!a-c]z', '[]x]1'],
      ['a.c', 'b.h', 'ab.c', 'az', 'dz', ']1', 'x1', 'y1'],
      ['ab.c', 'az', 'y1'],
    ],
    [
      'escapes and regex characters are literal',
      ['\\*', 'a+(b)$', '[x'],
      ['*', 'b', 'a+(b)$', 'aab', '[x'],
      ['aab', 'b'],
    ],
    ['symlinks by their name', ['*.log'], ['a.log -> b'], []],
    ['nothing', [], ['a'], ['a']],
  ])('%s', (_, globs, forms, expected) => {
    expect(pathsOf(exclude(manifestOf(...forms), globs))).toEqual(expected);
  });
});
