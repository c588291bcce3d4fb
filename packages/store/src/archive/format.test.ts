import { expect, test } from 'vitest';
import { detectFormat } from './format.js';

const ustar = Buffer.alloc(512, 'x');
ustar.write('ustar', 257);

test.each([
  ['tar.gz', Buffer.from([0x1f, 0x8b, 8])],
  ['zip', Buffer.from('PK\x03\x04rest')],
  ['zip', Buffer.from('PK\x05\x06')],
  ['tar', ustar],
  ['tar', Buffer.alloc(512)],
])('%s is told by its first bytes', (format, head) => {
  expect(detectFormat(head)).toBe(format);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a few zeros', Buffer.alloc(100)],
  ['text', Buffer.from('<html>not found</html>'.repeat(40))],
  ['a name with PK', Buffer.from('PKG=1')],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
])('%s is no archive', (_, head) => {
  expect(() => detectFormat(head)).toThrowError('not an archive: expected .tar, .tar.gz/.tgz or .zip');
});
