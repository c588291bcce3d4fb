import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstancePlan } from '@rexdeploy/shared/journal/events';
import { type InstanceFacts, inspect } from '../hosts/inspect.js';
import { hostOf, type RolloutContext } from '../rollout/context.js';
import { makePlan, mustFind } from '../rollout/plan.js';

/** What `check` and `observe` have in common: they look, and take nobody's lock. */

/** Runs a look, and turns what it throws into a sentence for people. @throws ControlFlow, and when aborted */
export async function told<T>(
  context: RolloutContext,
  look: () => Promise<T>,
): Promise<{ value: T } | { problem: string }> {
  try {
    return { value: await look() };
  } catch (error) {
    if (error instanceof ControlFlow || context.signal.aborted) throw error;
    if (error instanceof CommandError && error.stderrTail.trim() !== '') return { problem: error.stderrTail.trim() };
    return { problem: toRexError(error).message };
  }
}

/** The plan that a deployment would have now; nothing of it is made. */
function planOf(context: RolloutContext, key: string): InstancePlan {
  const { instances } = makePlan(context.journal.state, context.name, context.config.timezone);
  const plan = instances.find(({ instance }) => instance === key);
  if (plan === undefined) throw new Error(`${key} has no plan`);
  return plan;
}

/** The instance's host as it stands. @throws as `inspect` */
export async function inspectNow(context: RolloutContext, key: string): Promise<InstanceFacts> {
  const { name, journal, signal } = context;
  const instance = mustFind(name, key);
  const options = { exclude: name.exclude, listing: false, measure: 'disk' as const, signal };
  const host = await hostOf(context, instance.host, instance.ssh);
  // No release is to be made: one of this second is a deployment's.
  const plan = { ...planOf(context, key), programRelease: '', configRelease: undefined };
  return inspect(host, instance, plan, journal.id, options);
}
