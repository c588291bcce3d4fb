import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { WantedWeight } from '@rexdeploy/shared/journal/events';
import { weighFoundSchema } from '@rexdeploy/shared/journal/ledger';
import { z } from 'zod';
import { mustServe } from '../health/must-serve.js';
import { scripts } from '../hosts/remote-scripts.js';
import { keepOnHost } from '../hosts/rotation.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';
import { giveBack, keepOut } from './drain.js';

const foundSchema = weighFoundSchema.extend({ weight: z.union([z.int().nonnegative(), z.literal('restore')]) });
type Found = z.infer<typeof foundSchema>;

/**
 * Sets an instance's weight on somebody's wish. Taken out by it, it stays out until they wish otherwise: neither the
 * sweeper nor a later deployment gives it back. What is put into rotation must serve.
 */
export const weigh: Step<Found> = {
  name: 'weigh',
  found: foundSchema,

  async find(context) {
    const { request } = context.journal.state;
    const weight: WantedWeight = request.weight ?? 'restore';
    const { in: isIn, exact } = await context.balancer.look(context.signal);
    const before = await context.findDrained(context.instance.key);
    if (weight !== 0 && !isIn && request.force !== true) await mustServe(context);
    const why = `taken out by ${request.by}: updatek, weight=0`;
    return { in: isIn, exact, wanted: weight === 0 ? 'out' : 'in', why, weight, before };
  },

  async run(context, found) {
    const { balancer, signal } = context;
    if (found.weight === 0) return takeOut(context, found);
    if (found.weight === 'restore') await restore(context, found);
    else {
      if (balancer.weights === undefined) throw new RexError({ what: 'this balancer is given no weights here' });
      const now = await balancer.look(signal);
      // Repeated after a crash: what stands there may be what was to be put.
      if (!now.in || now.weight !== found.weight) await balancer.weights.put(found, found.weight, signal);
      await confirmWeight(context, found.weight);
    }
    await noteOnHost(context, found, 'forget');
    return { in: true, weight: found.weight };
  },

  async undo(context, found) {
    const { balancer, signal } = context;
    if (found.weight === 0 || found.weight === 'restore') {
      if (found.in) await giveBack(context, found);
      else if ((await balancer.look(signal)).in) await balancer.takeOut({ ...owed(found), in: true }, signal);
      return { in: found.in };
    }
    await balancer.weights?.undo(found, found.weight, signal);
    return { in: found.in };
  },
};

/** What it had before it was taken out, by the ledger; else what it has. */
const owed = ({ exact, before }: Found): { exact: string } => ({ exact: before?.exact ?? exact });

async function takeOut(context: InstanceContext, found: Found): Promise<Record<string, unknown>> {
  const { balancer, journal, instance, signal } = context;
  if (!found.in) {
    const whose = found.before === undefined ? ', and not by our hand: nothing will give it back' : ' already';
    const message = `is out of rotation${whose}`;
    await journal.append({ type: 'log', level: 'warn', instance: instance.key, step: 'weigh', message });
    await noteOnHost(context, found, 'remember');
    return { in: false, weight: 0 };
  }
  const { settled, now } = await balancer.takeOut(found, signal);
  await keepOut(context, found, now);
  await noteOnHost(context, found, 'remember');
  return { in: false, weight: 0, settled };
}

async function restore(context: InstanceContext, found: Found): Promise<void> {
  if (found.before !== undefined) return giveBack(context, { in: true, exact: found.before.exact });
  if (found.in) return;
  throw new BalancerError({
    where: context.balancer.place,
    what: `${context.instance.key} is out of rotation (${found.exact.trim()}), and not by our hand: it is not known what it had`,
    whatToDo: 'give the weight that it shall have',
  });
}

async function confirmWeight({ balancer, instance, signal }: InstanceContext, weight: number): Promise<void> {
  const now = await balancer.look(signal);
  if (now.in && (now.weight === undefined || now.weight === weight)) return;
  throw new BalancerError({
    where: balancer.place,
    what: `${instance.key} shall be in rotation with the weight ${weight} and is ${now.in ? 'in' : 'out of'} it: ${now.exact.trim()}`,
    whatToDo: 'look for another program that changes this balancer',
  });
}

/** The ledger's second copy. A host that is away must not keep anybody from taking it out: then it is told, and left. */
async function noteOnHost(context: InstanceContext, found: Found, verb: 'remember' | 'forget'): Promise<void> {
  const { journal, instance, signal } = context;
  if (verb === 'forget' && found.before === undefined) return;
  if (verb === 'remember' && !found.in && found.before === undefined) return;
  const exact = found.in ? found.exact : owed(found).exact;
  try {
    await keepOnHost(context, verb, { in: true, exact, wish: found.why });
    // Writing there took the instance's lock.
    await (await context.host()).run(scripts.releaseLock, [], { signal });
  } catch (error) {
    if (error instanceof ControlFlow || signal.aborted) throw error;
    const message = `its host could not be told: ${toRexError(error).message}`;
    await journal.append({ type: 'log', level: 'warn', instance: instance.key, step: 'weigh', message });
  }
}
