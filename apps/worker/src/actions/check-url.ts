import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import type { Finding } from '@rexdeploy/shared/journal/events';
import { probe } from '../health/url.js';
import type { RolloutContext } from '../rollout/context.js';
import { forEachLimited } from '../rollout/limited.js';
import { mustFind } from '../rollout/plan.js';
import { told } from './look.js';

/**
 * Makes the health check of every instance once.
 * @throws HealthError naming every instance that is not healthy, or that has no check
 */
export async function checkUrl(context: RolloutContext): Promise<void> {
  const { journal, name } = context;
  const keys = journal.state.request.batches.flat();
  await forEachLimited(keys, name.transfer.parallel, async (key) => {
    await journal.append({ type: 'checked', instance: key, findings: [await findingOf(context, key)] });
  });
  const bad = keys.flatMap((key) =>
    (journal.state.checks[key] ?? []).filter(({ ok }) => !ok).map(({ what }) => `${key}: ${what}`),
  );
  if (bad.length === 0) return;
  throw new HealthError({ where: journal.state.request.k, what: bad.join('; '), whatToDo: "read the instances' logs" });
}

async function findingOf(context: RolloutContext, key: string): Promise<Finding> {
  const instance = mustFind(context.name, key);
  const { health } = instance;
  if (health === undefined) return { check: 'health', ok: false, what: 'no health check is configured' };
  const seen = await told(context, () => probe(instance, health, context.signal));
  if ('problem' in seen) return { check: 'health', ok: false, what: seen.problem };
  const { healthy, what } = seen.value;
  return { check: 'health', ok: healthy, what: `${healthy ? 'healthy' : 'NOT healthy'}: ${what}` };
}
