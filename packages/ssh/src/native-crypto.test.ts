import { expect, test } from 'vitest';
import { nativeCrypto } from './native-crypto.js';

test('tells whether the compiled ciphers are there', () => {
  expect(typeof nativeCrypto).toBe('boolean');
});
