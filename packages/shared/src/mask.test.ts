import { expect, test } from 'vitest';
import { maskToken, maskTokensIn } from './mask.js';

const TOKEN = `1527665686${'a'.repeat(28)}wxyz`;

test('of a token its ten digits and last four letters are shown', () => {
  expect(maskToken(TOKEN)).toBe('1527665686…wxyz');
});

test('of something short nothing is shown', () => {
  for (const text of ['', 'secret', 'a'.repeat(14)]) expect(maskToken(text)).toBe('…');
});

test('every token inside a text is masked', () => {
  expect(maskTokensIn(`/rex?token=${TOKEN}&k=${TOKEN}`)).toBe('/rex?token=1527665686…wxyz&k=1527665686…wxyz');
});
