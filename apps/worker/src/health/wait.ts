import { setTimeout as pause } from 'node:timers/promises';
import type { HealthSection } from '@rexdeploy/shared/config/health';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import { type Observation, probe } from './url.js';

/** Without a configured interval: short at first, so that a quick start is seen at once, growing to a second. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Asks until the instance is healthy.
 * @returns the number of attempts it took
 * @throws HealthError with the last observation after `attempts` of them
 */
export async function waitUntilHealthy(url: string, health: HealthSection, signal: AbortSignal): Promise<number> {
  await pause(health.delay, undefined, { signal });
  let last: Observation = { healthy: false, what: 'never asked' };
  for (let attempt = 1; attempt <= health.attempts; attempt += 1) {
    last = await probe(url, health, signal);
    if (last.healthy) return attempt;
    if (attempt < health.attempts) await pause(pauseAfter(attempt, health), undefined, { signal });
  }
  throw new HealthError({
    where: url,
    what: `not healthy after ${health.attempts} attempts; last: ${last.what}`,
    whatToDo: "read the instance's own log",
  });
}

const pauseAfter = (attempt: number, health: HealthSection): number =>
  health.interval ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** (attempt - 1));
