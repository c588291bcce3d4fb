import { setTimeout as pause } from 'node:timers/promises';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import { endOfLog } from './app-log.js';
import { createCheck } from './create.js';
import { type Proof, type ProofContext, proveRelease } from './proof.js';
import { withRelease } from './release-name.js';
import { healthUrl } from './url.js';

const INTERVAL_MS = 1_000;

/**
 * Watches an instance that serves for as long as its health check says (`soak`): no answer may be an unhealthy one, and of
 * the processes that run in the end one must have been there from the beginning.
 * @returns how often it was asked, and how its release was proven in the end
 * @throws HealthError with what was seen and the end of the app's log; the signal's reason
 */
export async function watch(
  context: ProofContext,
  release: string,
  former: string | undefined,
): Promise<{ checks: number; proof?: string }> {
  const about = { former, step: 'soak' };
  const before = await proveRelease(context, release, about);
  const checks = await ask(context, release);
  const after = await proveRelease(context, release, about);
  if (before !== undefined && after !== undefined && !isSame(before, after)) {
    const { key, host } = context.instance;
    throw new HealthError({
      where: host,
      what: `${key} was started again while it was watched: ${before.why} became ${after.why}${await endOfLog(context)}`,
      whatToDo: 'find out what ended it',
    });
  }
  return { checks, ...(after && { proof: after.why }) };
}

async function ask(context: ProofContext, release: string): Promise<number> {
  const { instance, signal } = context;
  if (instance.health === undefined) return 0;
  const health = withRelease(instance.health, release);
  const check = createCheck(healthUrl(health, instance), health, context.host);
  const begun = performance.now();
  for (let checks = 1; ; checks += 1) {
    const left = begun + health.soak - performance.now();
    await pause(Math.max(0, Math.min(health.interval ?? INTERVAL_MS, left)), undefined, { signal });
    const seen = await check.probe(signal);
    const passed = performance.now() - begun;
    if (!seen.healthy) {
      const when = `not healthy any more after ${(passed / 1000).toFixed(1)} s of soak`;
      throw new HealthError({
        where: check.place,
        what: `${when}: ${seen.what}${await endOfLog(context)}`,
        whatToDo: "read the instance's own log",
      });
    }
    if (passed >= health.soak) return checks;
  }
}

/** Workers may come and go; one process that was there before must be there still. */
const isSame = (before: Proof, after: Proof): boolean =>
  before.by.some((one) => after.by.some(({ pid, start }) => pid === one.pid && start === one.start));
