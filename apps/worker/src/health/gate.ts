import type { ResolvedHealth } from '@rexdeploy/shared/config/resolved';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { InstanceContext } from '../rollout/context.js';
import { endOfLog } from './app-log.js';
import { createCheck } from './create.js';
import { linkedRelease, namesRelease, withRelease } from './release-name.js';
import { healthUrl } from './url.js';
import { waitUntilHealthy } from './wait.js';

/**
 * Waits until an instance is healthy.
 * @param release directory that `{release}` of the check stands for; absent = the one that is linked
 * @returns what was asked, and how often; undefined where no check is configured
 * @throws HealthError with the last observation and the end of the app's log
 */
export async function passHealthGate(
  context: Pick<InstanceContext, 'instance' | 'host' | 'signal'>,
  release?: string,
): Promise<{ url: string; attempts: number } | undefined> {
  const { instance, signal } = context;
  if (instance.health === undefined) return undefined;
  const health = await filledIn(context, instance.health, release);
  const check = createCheck(healthUrl(health, instance), health, context.host);
  try {
    return { url: check.place, attempts: await waitUntilHealthy(check, health, signal) };
  } catch (error) {
    if (!(error instanceof HealthError)) throw error;
    const { where, what, whatToDo } = error;
    const log = await endOfLog(context);
    // Who has read the log here need not be told to read it.
    const advice = instance.log === undefined ? whatToDo : undefined;
    throw new HealthError({ where, what: `${what}${log}`, whatToDo: advice, cause: error });
  }
}

async function filledIn(
  { instance, host, signal }: Pick<InstanceContext, 'instance' | 'host' | 'signal'>,
  health: ResolvedHealth,
  release: string | undefined,
): Promise<ResolvedHealth> {
  if (!namesRelease(health)) return health;
  return withRelease(health, release ?? (await linkedRelease(await host(), instance.programDir, signal)));
}
