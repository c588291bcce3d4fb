import { expect } from 'vitest';

/** What it gives, and how long that took. */
export async function timed<T>(work: () => Promise<T>): Promise<[T, ms: number]> {
  const begun = performance.now();
  return [await work(), performance.now() - begun];
}

/** What is promised: without Redis there is an answer within this time. */
const PROMISED_MS = 3_000;
/** A machine that is busy otherwise may let some of those who ask at once wait for their turn; none hangs. */
const BUSY_MS = 6_000;

/** Answers without Redis came as promised. */
export function expectSoon(times: readonly number[]): void {
  expect(Math.min(...times)).toBeLessThan(PROMISED_MS);
  expect(Math.max(...times)).toBeLessThan(BUSY_MS);
}
