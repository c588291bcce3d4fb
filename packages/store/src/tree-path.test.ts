import { describe, expect, test } from 'vitest';
import { ancestorsOf, comparePaths, isTreePath, parentOf } from './tree-path.js';

describe('paths of a tree', () => {
  test('their order is that of their UTF-8 bytes', () => {
    const paths = [
      'a',
      'a/b',
      'a.b',
      'a-b',
      'ab',
      'Z',
      'é',
      '中',
      '\ue000',
      '\uffee',
      '\u{1f600}',
      '\u{10ffff}',
      'a/\u{1f600}',
    ];
    const bytewise = [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...paths].sort(comparePaths)).toEqual(bytewise);
    expect(comparePaths('a/b', 'a/b')).toBe(0);
  });

  test.each(['', '/a', 'a/', './a', 'a/.', 'a//b', '..', 'a/../b', 'a\0b'])('%j is not one', (path) => {
    expect(isTreePath(path)).toBe(false);
  });

  test.each(['a', '...', 'a/b c/中', '.hidden', 'a\\b'])('%j is one', (path) => {
    expect(isTreePath(path)).toBe(true);
  });

  test('what is above a path comes nearest first, without the root', () => {
    expect([...ancestorsOf('a/b/c')]).toEqual(['a/b', 'a']);
    expect(parentOf('a')).toBe('');
  });
});
