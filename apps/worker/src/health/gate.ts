import type { ResolvedHealth } from '@rexdeploy/shared/config/resolved';
import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { InstanceContext } from '../rollout/context.js';
import { endOfLog } from './app-log.js';
import { createCheck } from './create.js';
import { linkedRelease, namesRelease, withRelease } from './release-name.js';
import { healthUrl } from './url.js';
import { waitUntilHealthy } from './wait.js';

type GateContext = Pick<InstanceContext, 'instance' | 'host' | 'signal'> & Partial<Pick<InstanceContext, 'lately'>>;

/** Asks an instance that listens now for the first time, before `passHealthGate` comes to it. */
export function askHealthAhead(context: GateContext, release: string): void {
  const { instance, signal, lately } = context;
  const { health } = instance;
  // Who wants it to be left alone at first, or to be healthy for long, asks in their own time.
  if (lately === undefined || health === undefined || health.delay > 0 || health.successes > 1) return;
  lately.healthy.begin(instance.key, async () => {
    const filled = await filledIn(context, health, release);
    return (await createCheck(healthUrl(filled, instance), filled, context.host).probe(signal)).healthy;
  });
}

/**
 * Waits until an instance is healthy.
 * @param release directory that `{release}` of the check stands for; absent = the one that is linked
 * @returns what was asked, and how often; undefined where no check is configured
 * @throws HealthError with the last observation and the end of the app's log
 */
export async function passHealthGate(
  context: GateContext,
  release?: string,
): Promise<{ url: string; attempts: number } | undefined> {
  const { instance, signal } = context;
  if (instance.health === undefined) return undefined;
  const health = await filledIn(context, instance.health, release);
  const check = createCheck(healthUrl(health, instance), health, context.host);
  if ((await context.lately?.healthy.take(instance.key)) === true) return { url: check.place, attempts: 1 };
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
