import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseFacts } from './answers.js';
import { findExclusions } from './exclusions.js';
import { metaLine, parseMeta } from './meta.js';
import { scripts } from './remote-scripts.js';

test('facts are name and value separated by the first tab; the last of a name counts', () => {
  expect(parseFacts('a\t1\nnoise\nb\tx\ty\na\t2\n')).toEqual({ a: '2', b: 'x\ty' });
});

test('exclusions become the beginning of a find expression', () => {
  expect(findExclusions([])).toEqual([]);
  expect(findExclusions(['*.log', 'cache/tmp'])).toEqual([
    '(',
    '-name',
    '*.log',
    '-o',
    '-path',
    './cache/tmp',
    ')',
    '-prune',
    '-o',
  ]);
});

test('the line beside a release is read back; a damaged one counts as none', () => {
  const line = metaLine({ deployment: 'dep-1', manifest: 'm' }).replace('@LISTING@', 'digest');
  expect(parseMeta(line)).toEqual({ deployment: 'dep-1', manifest: 'm', listing: 'digest' });
  expect(parseMeta('{"deploy')).toBeUndefined();
  expect(parseMeta('{"other":1}')).toBeUndefined();
});

describe('remote scripts', () => {
  test.each(Object.entries(scripts))('%s is sound for sh', (_, script) => {
    const checked = spawnSync('sh', ['-n'], { input: script.text });
    expect(String(checked.stderr)).toBe('');
  });

  test('every file is used', () => {
    // These are put before others.
    const parts = ['app', 'common', 'end-subshell', 'fence', 'in-subshell', 'nginx', 'partial', 'shared', 'sums'];
    const files = readdirSync(new URL('../../scripts/', import.meta.url)).filter(
      (file) => !parts.includes(file.replace('.sh', '')),
    );
    const used = new Set(Object.values(scripts).map((script) => `${script.name}.sh`));
    expect([...used].sort()).toEqual(files.sort());
  });
});
