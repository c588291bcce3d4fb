import { expect, test } from 'vitest';
import { parseHost } from './trust-target.js';

test.for([
  ['web1', 'web1', undefined],
  ['web1:2222', 'web1', 2222],
  ['10.0.0.3:22', '10.0.0.3', 22],
  ['[::1]:2222', '::1', 2222],
  ['[fe80::1]', 'fe80::1', undefined],
  ['fe80::1', 'fe80::1', undefined],
] as const)('%s is host and port', ([text, host, port]) => {
  expect(parseHost(text)).toEqual({ host, port });
});

test.for(['', 'web1:', 'web1:0', 'web1:70000', 'a b', '[::1]x', 'web1:ssh'])('"%s" is no host', (text) => {
  expect(() => parseHost(text)).toThrow('is no host');
});
