import { expect, test } from 'vitest';
import { humanSize, parseDurationMs, parseSizeBytes } from './units.js';

test.for([
  ['250ms', 250],
  ['5s', 5_000],
  ['1.5 m', 90_000],
  ['12h', 43_200_000],
  [' 90d ', 7_776_000_000],
  ['5', undefined],
  ['-5s', undefined],
  ['5 weeks', undefined],
  ['', undefined],
] as const)('the duration "%s" is %s ms', ([text, ms]) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.for([
  ['512', 512],
  ['100 MB', 100_000_000],
  ['4GiB', 4_294_967_296],
  ['1.5KiB', 1_536],
  ['4G', undefined],
  ['-1', undefined],
  ['lots', undefined],
] as const)('the size "%s" is %s bytes', ([text, bytes]) => {
  expect(parseSizeBytes(text)).toBe(bytes);
});

test.for([
  [0, '0'],
  [512, '512'],
  [1_024, '1.0K'],
  [1_025, '1.1K'],
  [24 * 1_024, '24K'],
  [32 * 1_024 ** 2, '32M'],
  [32 * 1_024 ** 2 + 1, '33M'],
  [9.96 * 1_024, '10K'],
] as const)('%d bytes are shown as du -sh does: %s', ([bytes, text]) => {
  expect(humanSize(bytes)).toBe(text);
});
