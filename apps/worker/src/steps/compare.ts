import { inspect } from '../hosts/inspect.js';
import type { InstanceContext } from '../rollout/context.js';
import { difference, EMPTY } from '../transfer/delta.js';
import { wantedTrees } from '../transfer/wanted.js';

/** Dry run of one instance: journals how the staged tree would differ. Nothing on the host is changed. */
export async function compare(context: InstanceContext): Promise<void> {
  const { instance, plan, journal, name, signal } = context;
  const transport = await context.host();
  const facts = await inspect(transport, instance, plan, journal.id, { exclude: name.exclude, listing: true, signal });
  await context.balancer.look(signal);
  const wanted = await wantedTrees(context, facts);
  await journal.append({
    type: 'difference',
    instance: instance.key,
    program: difference(wanted.base, wanted.program),
    ...(wanted.configPackage === undefined ? {} : { config: difference(EMPTY, wanted.config.tree) }),
  });
}
