import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { inspect } from '../hosts/inspect.js';
import type { InstanceContext } from './context.js';

/**
 * Journals how an instance stands that was not brought back: what is linked, what the balancer says, whether it runs.
 * What cannot be found out is left open; the instance may be unreachable.
 * @param kept left on purpose, so that nothing gives it back by itself
 */
export async function leaveInstance(context: InstanceContext, why: string, kept: boolean): Promise<void> {
  const { instance, plan, journal, name, signal, balancer } = context;
  const [facts, rotation] = await Promise.allSettled([
    context
      .host()
      .then((host) => inspect(host, instance, plan, journal.id, { exclude: name.exclude, listing: false, signal })),
    balancer.look(signal),
  ]);
  signal.throwIfAborted();
  const unknown = [facts, rotation].flatMap((result) =>
    result.status === 'rejected' ? [toRexError(result.reason).message] : [],
  );
  await journal.append({
    type: 'left',
    instance: instance.key,
    why: unknown.length === 0 ? why : `${why}; not known: ${unknown.join('; ')}`,
    kept,
    linked: facts.status === 'fulfilled' ? facts.value.program.real : undefined,
    processes: facts.status === 'fulfilled' ? facts.value.processes : undefined,
    rotation:
      rotation.status === 'fulfilled' && instance.balancer.type !== 'none'
        ? `${rotation.value.in ? 'in' : 'out'} (${rotation.value.exact.trim()})`
        : undefined,
  });
}
