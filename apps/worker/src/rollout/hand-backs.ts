import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { retry } from '@rexdeploy/ssh/retry';
import { balancerOf, type InstanceContext, instanceContext, type RolloutContext } from './context.js';
import { leaveInstance } from './leave.js';

/** Some balancers take a tenth of a second for each change: what is given back may wait for the next instance's drain. */

const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 15_000;

/** Is the next thing that happens to this instance's balancer the drain of another one? */
export function isFollowed(context: InstanceContext): boolean {
  const { journal, name, instance, balancer, cancelled, leaving } = context;
  if (balancer.joins !== true || cancelled.aborted || leaving.aborted || journal.asked !== undefined) return false;
  const { batches, request, plan, heldAfter } = journal.state;
  const index = batches.findIndex(({ instances }) => instances.includes(instance.key));
  const next = batches[index + 1];
  if (batches[index]?.status !== 'running' || next?.status !== 'waiting') return false;
  if (batches[index]?.instances.length !== 1 || next.instances.length !== 1) return false;
  // Before the next one somebody looks at it, or it is watched.
  if (index === 0 && ((request.hold === true && !heldAfter.includes(0)) || (instance.health?.soak ?? 0) > 0))
    return false;
  const [key = ''] = next.instances;
  const other = name.instances.get(key);
  const isUnchanged = plan?.instances.some((row) => row.instance === key && row.unchanged === true) ?? true;
  return other !== undefined && !isUnchanged && balancerOf(context, other).place === balancer.place;
}

/** Keeps in mind that it was given back with `isFollowed`. @param confirm gives it back once more, without that */
export function awaitNext({ lately, balancer, instance }: InstanceContext, confirm: () => Promise<void>): void {
  lately.waiting.set(balancer.place, { instance: instance.key, confirm });
}

/**
 * The drain that was to follow does not come: makes sure that what was given back counts.
 * @returns a line for each of which that is not certain; it is journaled as left, too
 */
export async function confirmHandBacks(rollout: RolloutContext): Promise<string[]> {
  const { lately, name, signal } = rollout;
  const uncertain: string[] = [];
  for (const [place, { instance, confirm }] of lately.waiting) {
    lately.waiting.delete(place);
    try {
      await retry(confirm, { attempts: name.retries + 1, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS, signal });
    } catch (error) {
      if (error instanceof ControlFlow || signal.aborted) throw error;
      const why = `it is not certain that it is in rotation again: ${toRexError(error).message}`;
      await leaveInstance(instanceContext(rollout, instance), why, false);
      uncertain.push(`${instance}: ${why}`);
    }
  }
  return uncertain;
}
