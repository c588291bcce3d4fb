import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import { inspect } from '../hosts/inspect.js';
import type { InstanceContext } from '../rollout/context.js';
import { healthUrl, probe } from './url.js';

/** Traffic is given to what answers only. @throws HealthError with what was seen */
export async function mustServe(context: InstanceContext): Promise<void> {
  const { instance, plan, journal, name, signal } = context;
  const options = { exclude: name.exclude, listing: false, signal };
  const facts = await inspect(await context.host(), instance, plan, journal.id, options);
  if (facts.processes === 0) {
    throw new HealthError({ where: instance.host, what: `no process of ${instance.key} runs`, whatToDo: 'start it' });
  }
  if (instance.health === undefined) return;
  const url = healthUrl(instance.health, instance);
  const seen = await probe(instance, instance.health, signal);
  if (!seen.healthy) throw new HealthError({ where: url, what: `${instance.key} is not healthy: ${seen.what}` });
}
