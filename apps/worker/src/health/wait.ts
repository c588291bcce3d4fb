import { setTimeout as pause } from 'node:timers/promises';
import type { HealthSection } from '@rexdeploy/shared/config/health';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { HealthCheck, Observation } from './check.js';

/** Without a configured interval: short at first, so that a quick start is seen at once, growing to a second. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 1_000;

export type Patience = Pick<HealthSection, 'delay' | 'interval' | 'attempts' | 'successes'>;

/**
 * Asks until the instance was healthy `successes` times in a row. A row that has begun may end after the last attempt.
 * @returns the number of attempts it took
 * @throws HealthError with the last observation after `attempts` of them
 */
export async function waitUntilHealthy(check: HealthCheck, patience: Patience, signal: AbortSignal): Promise<number> {
  const { delay, attempts, successes } = patience;
  await pause(delay, undefined, { signal });
  let last: Observation = { healthy: false, what: 'never asked' };
  let row = 0;
  let attempt = 0;
  while (attempt < attempts || row > 0) {
    attempt += 1;
    last = await check.probe(signal);
    row = last.healthy ? row + 1 : 0;
    if (row === successes) return attempt;
    if (attempt < attempts || row > 0) await pause(pauseAfter(attempt, row, patience), undefined, { signal });
  }
  const wanted = successes === 1 ? 'not healthy' : `not healthy ${successes} times in a row`;
  throw new HealthError({
    where: check.place,
    what: `${wanted} after ${attempt} attempts; last: ${last.what}`,
    whatToDo: "read the instance's own log",
  });
}

/** Answers in a row tell something only with time between them. */
function pauseAfter(attempt: number, row: number, { interval }: Patience): number {
  if (interval !== undefined) return interval;
  return row > 0 ? LONGEST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** (attempt - 1));
}
