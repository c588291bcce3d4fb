import { makeManifest } from '@rexdeploy/store/manifest';
import { expect, test } from 'vitest';
import type { ListedEntry } from './listing.js';
import { wholeFiles } from './resume.js';

const SHA = 'a'.repeat(64);
const wanted = makeManifest([{ path: 'f', type: 'file', mode: 0o640, size: 3, mtime: 7, sha256: SHA }]);
const listed: ListedEntry = { path: 'f', type: 'file', mode: 0o640, size: 3, mtime: '7.0000000000', target: '' };

test.each([
  ['as it is wanted', {}, SHA, ['f']],
  ['of other content', {}, 'b'.repeat(64), []],
  ['without a digest', {}, undefined, []],
  ['whose mode was not set any more', { mode: 0o600 }, SHA, []],
  ['whose time was not set any more', { mtime: '1795421101.5000000000' }, SHA, []],
  ['that is a link', { type: 'symlink' as const }, SHA, []],
])('a file %s', (_, change, digest, expected) => {
  const digests = new Map(digest === undefined ? [] : [['f', digest]]);
  expect([...wholeFiles(wanted, [{ ...listed, ...change }], digests)]).toEqual(expected);
});
