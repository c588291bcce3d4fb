import { describe, expect, test } from 'vitest';
import { overlay } from './overlay.js';
import { manifestOf, pathsOf } from './testing/entries.js';

describe('laying a package over a release', () => {
  test.each([
    ['adds what is new', ['a'], ['b'], ['a', 'b']],
    ['keeps what it does not name', ['d/a', 'd/b'], ['d/a'], ['d/', 'd/a', 'd/b']],
    ['puts a file in place of a directory and all below it', ['a/b/c', 'a/d', 'a.x'], ['a'], ['a', 'a.x']],
    ['puts a symlink in place of a directory', ['a/b/c', 'b'], ['a -> b'], ['a -> b', 'b']],
    ['puts a directory in place of a file', ['a'], ['a/b'], ['a/', 'a/b']],
    ['puts a directory in place of a symlink', ['a -> b', 'b/c'], ['a/x'], ['a/', 'a/x', 'b/', 'b/c']],
    ['puts a file in place of a symlink', ['a -> b', 'b'], ['a'], ['a', 'b']],
    ['does nothing when it is empty', ['a', 'b/c'], [], ['a', 'b/', 'b/c']],
    ['is all there is over nothing', [], ['a/b'], ['a/', 'a/b']],
  ])('%s', (_, base, pkg, expected) => {
    expect(pathsOf(overlay(manifestOf(...base), manifestOf(...pkg)))).toEqual(expected);
  });

  test('takes content from the package where both have a file', () => {
    const result = overlay(manifestOf('a = old', 'b = old'), manifestOf('a = new'));
    expect(result).toEqual(manifestOf('a = new', 'b = old'));
  });
});
