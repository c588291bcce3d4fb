import { parseDurationMs, parseSizeBytes } from '@rexdeploy/shared/units';
import { expect, test } from 'vitest';
import { durationAsWritten, sizeAsWritten } from './as-written.js';

test.for([
  [0, '0s'],
  [250, '250ms'],
  [5_000, '5s'],
  [90_000, '90s'],
  [600_000, '10m'],
  [90 * 86_400_000, '90d'],
] as const)('%d ms is written as %s, and read as the same', ([ms, text]) => {
  expect(durationAsWritten(ms)).toBe(text);
  expect(parseDurationMs(text)).toBe(ms);
});

test.for([
  [512, '512B'],
  [1_536, '1536B'],
  [4 * 1024 ** 3, '4GiB'],
] as const)('%d bytes are written as %s, and read as the same', ([bytes, text]) => {
  expect(sizeAsWritten(bytes)).toBe(text);
  expect(parseSizeBytes(text)).toBe(bytes);
});
