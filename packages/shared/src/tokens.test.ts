import { expect, test } from 'vitest';
import { allowsName, hashToken, makeToken, TOKEN } from './tokens.js';

test('a token has the documented form, begins with its time, and is never made twice', () => {
  const tokens = Array.from({ length: 200 }, () => makeToken(1_527_665_686_999));
  for (const token of tokens) expect(token).toMatch(TOKEN);
  for (const token of tokens) expect(token.slice(0, 10)).toBe('1527665686');
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('the digest that is kept is the SHA-256 of the token', () => {
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test.for([
  ['*', 'server', true],
  ['server', 'server', true],
  ['server', 'server2', false],
  ['server,shop*', 'shop-eu', true],
  ['server, shop*', 'shop', true],
  ['shop*', 'myshop', false],
  ['*eu', 'shop-eu', true],
  ['s.rver', 'server', false],
  ['', 'server', false],
] as const)('the patterns "%s" and the name "%s": %s', ([names, name, allowed]) => {
  expect(allowsName({ names }, name)).toBe(allowed);
});
