import { expect, test } from 'vitest';
import { maskSecretsIn, maskToken, maskTokensIn } from './mask.js';

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

test.each([
  [
    'https://h/a.tgz?X-Amz-Credential=AK%2F1&X-Amz-Signature=9f8e&X-Amz-Expires=60',
    'https://h/a.tgz?X-Amz-Credential=…&X-Amz-Signature=…&X-Amz-Expires=60',
  ],
  ['https://h/a?sv=2024&sig=ab%2Bc%3D#top', 'https://h/a?sv=2024&sig=…#top'],
  [
    'GET /rex?k=server&url=https%3A%2F%2Fh%2Fa%3Faccess_token%3Dabc%26v%3D1&full=1',
    'GET /rex?k=server&url=https%3A%2F%2Fh%2Fa%3Faccess_token%3D…%26v%3D1&full=1',
  ],
  ['{"url":"https://h/a?private_token=abc","k":"server"}', '{"url":"https://h/a?private_token=…","k":"server"}'],
  [`/rex?token=${TOKEN}&k=server`, '/rex?token=1527665686…wxyz&k=server'],
  ['action=Deploy:Db:initdb&k=server&force=1', 'action=Deploy:Db:initdb&k=server&force=1'],
])('secrets in the query of an address are masked: %s', (text, masked) => {
  expect(maskSecretsIn(text)).toBe(masked);
  expect(maskSecretsIn(masked)).toBe(masked);
});
