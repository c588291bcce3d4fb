import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import { localTime } from '../clock.js';
import { NO_ROLLOUT } from '../deployments/no-rollout.js';
import { FrozenError } from '../errors/request-errors.js';
import type { DeployRequest } from '../journal/events.js';
import { durationMs, nonEmpty } from './primitives.js';
import type { Config, ResolvedName } from './resolved.js';

/** Times in which nothing is rolled out. */

const SCHEDULE = 'minute, hour, day, month and weekday as of cron, such as "0 18 * * 5"';

const freezeSchema = z
  .strictObject({
    /** When it begins, in the time zone of the configuration. */
    cron: z.string({ error: SCHEDULE }).refine(isSchedule, SCHEDULE),
    duration: durationMs,
    /** Told to everybody who is refused. */
    reason: nonEmpty,
  })
  // On the section: a refined duration is another schema than the one that durations are known by.
  .superRefine(({ duration }, context) => {
    if (duration < 1_000) context.addIssue({ code: 'custom', path: ['duration'], message: 'at least 1s' });
  });

export const freezesSchema = z.array(freezeSchema).default([]);

/** One rule: from each time of `cron` on for `durationMs`. */
export interface FreezeWindow {
  cron: string;
  durationMs: number;
  reason: string;
}

export const resolveFreezes = (sections: z.infer<typeof freezesSchema>): FreezeWindow[] =>
  sections.map(({ cron, duration, reason }) => ({ cron, durationMs: duration, reason }));

/** What rolls nothing out, or was forced, may begin in a freeze window. */
export const isExempt = ({ action, dryRun, force }: DeployRequest): boolean =>
  dryRun || force === true || NO_ROLLOUT.has(action);

/** Windows that follow each other without a gap are looked through this far; `* * * * *` has no end at all. */
const MAX_WINDOWS = 100;

/**
 * Refuses a roll-out inside a freeze window of the whole configuration or of the name.
 * @throws FrozenError naming the reason, and when the last of the windows that follow without a gap ends
 */
export function refuseFrozen(
  config: Pick<Config, 'freeze' | 'timezone'>,
  name: Pick<ResolvedName, 'k' | 'freeze'>,
  nowMs: number,
): void {
  const { timezone } = config;
  const windows = [...config.freeze, ...name.freeze];
  const reasons = windows.filter((window) => endOf(window, nowMs, timezone) !== undefined).map(({ reason }) => reason);
  if (reasons.length === 0) return;
  const endMs = lastEnd(windows, nowMs, timezone);
  throw new FrozenError({
    what: `(${name.k})--is frozen: ${[...new Set(reasons)].join(', ')}; ${until(endMs, timezone)}`,
    whatToDo: 'ask again then; force=1 goes through, with a token of the role admin',
  });
}

function until(endMs: number | undefined, timezone: string): string {
  if (endMs === undefined) return 'its freeze windows follow each other without a gap';
  return `until ${localTime(endMs, timezone)} ${timezone} (${new Date(endMs).toISOString()})`;
}

/** Undefined when no end was found. */
function lastEnd(windows: readonly FreezeWindow[], nowMs: number, timezone: string): number | undefined {
  let end = nowMs;
  for (let looked = 0; looked < MAX_WINDOWS; looked += 1) {
    const ends = windows.flatMap((window) => endOf(window, end, timezone) ?? []);
    if (ends.length === 0) return end;
    end = Math.max(...ends);
  }
  return undefined;
}

/** End of the window that is open at that time; undefined when none is. The end itself is outside. */
function endOf({ cron, durationMs: length }: FreezeWindow, atMs: number, timezone: string): number | undefined {
  // It looks for times before the given one; the window is open from its first moment on.
  const schedule = CronExpressionParser.parse(cron, { currentDate: new Date(atMs + 1), tz: timezone });
  const end = schedule.prev().getTime() + length;
  return atMs < end ? end : undefined;
}

/** Five plain fields: what the library knows beyond them (seconds, `@daily`, random `H`) is no part of the format. */
function isSchedule(text: string): boolean {
  if (text.trim().split(/\s+/).length !== 5 || /[@H]/.test(text)) return false;
  try {
    CronExpressionParser.parse(text).prev();
    return true;
  } catch {
    return false;
  }
}
