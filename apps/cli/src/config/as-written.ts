/** Durations and sizes back in the notation of the config file: the largest unit that keeps them whole. */

const MS_PER: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];
const BYTES_PER: readonly [string, number][] = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
];

/** 15000 → `15s`; nothing is `0s`. */
export const durationAsWritten = (ms: number): string => (ms === 0 ? '0s' : inLargestUnit(ms, MS_PER));

/** 4294967296 → `4GiB`. */
export const sizeAsWritten = (bytes: number): string => inLargestUnit(bytes, BYTES_PER);

function inLargestUnit(value: number, units: readonly [string, number][]): string {
  for (const [unit, size] of units) {
    if (value >= size && value % size === 0) return `${value / size}${unit}`;
  }
  return String(value);
}
