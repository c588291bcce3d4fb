import { expect, test } from 'vitest';
import { manifestOf, parseListing } from './listing.js';

const record = (...fields: string[]): string => fields.map((field) => `${field}\0`).join('');
const SHA = 'a'.repeat(64);

test('reads entries, odd names and digests, and makes a manifest of them', () => {
  const answer = `${record('d 755 4096 1.5', 'dir', '')}${record('f 640 3 2.0000000000', 'dir/a b\n文', '')}${record('l 777 5 3.0', 'ln', 'dir/x')}\0${SHA}  dir/a b\n文\0`;
  const { entries, digests } = parseListing(answer);
  expect(manifestOf(entries, digests).entries).toEqual([
    { path: 'dir', type: 'dir', mode: 0o755, size: 0, mtime: 1 },
    { path: 'dir/a b\n文', type: 'file', mode: 0o640, size: 3, mtime: 2, sha256: SHA },
    { path: 'ln', type: 'symlink', mode: 0o777, size: 0, mtime: 3, target: 'dir/x' },
  ]);
});

test('an empty tree is an empty manifest', () => {
  expect(parseListing('\0').entries).toEqual([]);
});

test('a socket is refused by name', () => {
  expect(() => parseListing(record('s 755 0 1.0', 'run/app.sock', ''))).toThrow('run/app.sock: is neither file');
});

test('a file that vanished between listing and hashing is an error, not a smaller tree', () => {
  const { entries, digests } = parseListing(`${record('f 644 1 1.0', 'gone', '')}\0`);
  expect(() => manifestOf(entries, digests)).toThrow('gone: changed while it was being read');
});

test.each([
  ['a name', record('f 644 1 1.0', 'a\ufffd\ufffd.txt', '')],
  ['the target of a link', record('l 777 1 1.0', 'a', 'b\ufffd')],
])('%s that is no UTF-8 is refused by name, instead of another one', (_, answer) => {
  const { entries, digests } = parseListing(`${answer}\0`);
  expect(() => manifestOf(entries, digests)).toThrow(/^a.*is no UTF-8; rename it/);
});
