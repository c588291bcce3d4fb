import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { wishedOut } from '@rexdeploy/shared/journal/ledger';
import { z } from 'zod';
import type { Observed, Rotation } from '../balancers/balancer.js';
import { keepOnHost, recallRotation } from '../hosts/rotation.js';
import { LATELY_MS } from '../rollout/ahead.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';
import { guardAgain } from './guard.js';

export const drainFoundSchema = z.looseObject({
  in: z.boolean(),
  exact: z.string(),
  /** It was out by our hand already when this deployment came: an earlier one could not give it back. */
  owed: z.boolean().optional(),
  /** It is out on somebody's wish: it stays out, and in the ledger. */
  wish: z.string().optional(),
});
type Found = z.infer<typeof drainFoundSchema>;

/** Takes the instance out of rotation and waits until requests under way have ended. */
export const drain: Step<Found> = {
  name: 'drain',
  found: drainFoundSchema,

  async find(context) {
    const seen = await context.balancer.look(context.signal, { withinMs: LATELY_MS });
    if (context.instance.balancer.type === 'none') return { ...seen };
    const { owed, wish } = seen.in ? {} : await owedRotation(context);
    if (wish !== undefined) return { ...seen, wish };
    const found = owed === undefined ? { ...seen } : { ...seen, ...owed, owed: true };
    // Redis may lose its last second, and with it what stood here.
    if (found.in && (await context.lately.remembered.take(context.instance.key)) !== found.exact)
      await keepOnHost(context, 'remember', found);
    return found;
  },

  async run(context, found) {
    await guardAgain(context);
    if (!found.in) {
      const why = found.wish === undefined ? '' : ` (${found.wish}); action=updatek gives it back`;
      const message = `was out of rotation before this deployment, and stays out${why}`;
      await context.journal.append({
        type: 'log',
        level: 'warn',
        instance: context.instance.key,
        step: 'drain',
        message,
      });
    }
    const { settled, now } = await context.balancer.takeOut(found, context.signal);
    await keepOut(context, found, now);
    return { settled };
  },

  async undo(context, found) {
    // What an earlier deployment had to leave out did not serve then: it stays out, and in the ledger.
    if (found.owed === true) return { in: false };
    await giveBack(context, found);
    if (found.in && context.instance.balancer.type !== 'none') await keepOnHost(context, 'forget', found);
    return { in: found.in };
  },
};

/** What was taken out and not given back, by the ledger or by what lies on the host: owed, unless somebody wished it out. */
async function owedRotation(context: InstanceContext): Promise<{ owed?: Rotation; wish?: string }> {
  const entry = await context.findDrained(context.instance.key);
  const kept = entry === undefined ? await recallRotation(await context.host(), context.signal) : undefined;
  const wish = entry === undefined ? kept?.wish : wishedOut(entry);
  if (wish !== undefined) return { wish };
  const owed = entry ?? kept;
  return owed === undefined ? {} : { owed: { in: owed.in, exact: owed.exact } };
}

/**
 * Makes sure that what was taken out still is, before its app is stopped. A balancer that was reloaded may have forgotten
 * it, and whoever manages its files may have put them back: then it is taken out once more, and told.
 * @param now what the balancer told; absent: it is asked, unless it told within a second
 * @throws BalancerError when it does not stay out
 */
export async function keepOut(context: InstanceContext, found: Rotation, now?: Observed): Promise<void> {
  const { balancer, instance, journal, signal } = context;
  if (instance.balancer.type === 'none' || !(now ?? (await balancer.look(signal, { withinMs: LATELY_MS }))).in) return;
  const message = 'is in rotation again after it was taken out (was the balancer reloaded?): taken out once more';
  await journal.append({ type: 'log', level: 'warn', instance: instance.key, step: 'drain', message });
  const { now: then } = await balancer.takeOut(found, signal);
  await confirm(context, { in: false }, then);
}

/**
 * Gives back what was found and makes sure that the balancer agrees.
 * @param options.isFollowed the same balancer is changed once more at once; see `Balancer.giveBack`
 */
export async function giveBack(
  context: InstanceContext,
  found: Rotation,
  options: { isFollowed?: boolean } = {},
): Promise<void> {
  const now = await context.balancer.giveBack(found, context.signal, options);
  await confirm(context, { in: found.in }, now);
}

async function confirm(
  { balancer, instance, signal }: InstanceContext,
  wanted: Pick<Rotation, 'in'>,
  seen: Observed | undefined,
): Promise<void> {
  if (instance.balancer.type === 'none') return;
  const now = seen ?? (await balancer.look(signal));
  if (now.in === wanted.in) return;
  const word = (rotation: Pick<Rotation, 'in'>): string => (rotation.in ? 'in' : 'out of');
  throw new BalancerError({
    where: balancer.place,
    what: `${instance.key} shall be ${word(wanted)} rotation and is ${word(now)} it: ${now.exact.trim()}`,
    whatToDo: 'look for another program that changes this balancer',
  });
}
