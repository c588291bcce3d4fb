import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import type { Rotation } from '../balancers/balancer.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';

export const drainFoundSchema = z.looseObject({ in: z.boolean(), exact: z.string() });
type Found = z.infer<typeof drainFoundSchema>;

/** Takes the instance out of rotation and waits until requests under way have ended. */
export const drain: Step<Found> = {
  name: 'drain',
  found: drainFoundSchema,

  find: async (context) => ({ ...(await context.balancer.look(context.signal)) }),

  async run(context, found) {
    if (!found.in) {
      const message = 'was out of rotation before this deployment, and stays out';
      await context.journal.append({
        type: 'log',
        level: 'warn',
        instance: context.instance.key,
        step: 'drain',
        message,
      });
    }
    const { settled } = await context.balancer.takeOut(found, context.signal);
    await confirm(context, { in: false });
    return { settled };
  },

  async undo(context, found) {
    await giveBack(context, found);
    return { in: found.in };
  },
};

/** Gives back what was found and makes sure that the balancer agrees. */
export async function giveBack(context: InstanceContext, found: Rotation): Promise<void> {
  await context.balancer.giveBack(found, context.signal);
  await confirm(context, { in: found.in });
}

async function confirm({ balancer, instance, signal }: InstanceContext, wanted: Pick<Rotation, 'in'>): Promise<void> {
  if (instance.balancer.type === 'none') return;
  const now = await balancer.look(signal);
  if (now.in === wanted.in) return;
  const word = (rotation: Pick<Rotation, 'in'>): string => (rotation.in ? 'in' : 'out of');
  throw new BalancerError({
    where: balancer.place,
    what: `${instance.key} shall be ${word(wanted)} rotation and is ${word(now)} it: ${now.exact.trim()}`,
    whatToDo: 'look for another program that changes this balancer',
  });
}
