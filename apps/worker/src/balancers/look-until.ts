import { setTimeout as pause } from 'node:timers/promises';

/** Between two looks: short at first, so that a quick change is seen at once. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/**
 * Looks until what is seen satisfies, at least once.
 * @returns what was seen last, and whether it satisfies; false after `limitMs`
 */
export async function lookUntil<T>(
  look: () => Promise<T>,
  satisfies: (seen: T) => boolean,
  limitMs: number,
  signal: AbortSignal,
): Promise<{ seen: T; reached: boolean }> {
  const end = performance.now() + limitMs;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    const seen = await look();
    if (satisfies(seen)) return { seen, reached: true };
    const left = end - performance.now();
    if (left <= 0) return { seen, reached: false };
    await pause(Math.min(wait, left), undefined, { signal });
  }
}
