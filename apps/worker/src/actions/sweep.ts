import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { RolloutError } from '@rexdeploy/shared/errors/deployment-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { Rotation } from '../balancers/balancer.js';
import { mustServe } from '../health/must-serve.js';
import { scripts } from '../hosts/remote-scripts.js';
import { keepOnHost, recallRotation } from '../hosts/rotation.js';
import { type InstanceContext, instanceContext, type RolloutContext } from '../rollout/context.js';
import { leaveInstance } from '../rollout/leave.js';
import { makePlan } from '../rollout/plan.js';
import { giveBack } from '../steps/drain.js';

/**
 * Gives back what deployments that ended had to leave out of rotation. Only an instance that serves gets its traffic
 * back; one that does not is told again, with the reason.
 * @throws RolloutError naming every instance that stays out
 */
export async function sweep(context: RolloutContext): Promise<void> {
  const { journal, name, config } = context;
  if (journal.state.plan === undefined) {
    await journal.append({ type: 'planned', ...makePlan(journal.state, name, config.timezone) });
  }
  const left: string[] = [];
  for (const key of journal.state.request.batches.flat()) {
    const instance = instanceContext(context, key);
    try {
      await sweepInstance(instance);
    } catch (error) {
      if (error instanceof ControlFlow || context.signal.aborted) throw error;
      const why = toRexError(error).message;
      await leaveInstance(instance, why, false);
      left.push(`${key} stays out of rotation: ${why}`);
    } finally {
      await letGo(instance);
    }
  }
  if (left.length > 0) throw new RolloutError({ what: left.join('; '), whatToDo: 'deploy again, or mend it by hand' });
}

async function sweepInstance(context: InstanceContext): Promise<void> {
  const { instance, journal, balancer, signal } = context;
  const entry = await context.findDrained(instance.key);
  if (entry?.kept !== undefined) return;
  const owed: Rotation | undefined = entry ?? (await recallRotation(await context.host(), signal));
  if (owed === undefined) return;
  const now = await balancer.look(signal);
  if (!now.in) {
    await mustServe(context);
    await giveBack(context, { in: owed.in, exact: owed.exact });
  } else if (now.exact.trim() !== owed.exact.trim()) {
    // Somebody put it back otherwise, or it is another server by now: theirs to know, and not what was owed.
    const message = `is in rotation as "${now.exact.trim()}", and had been "${owed.exact.trim()}": left as it is`;
    await journal.append({ type: 'log', level: 'warn', instance: instance.key, message });
  }
  await keepOnHost(context, 'forget', owed);
  await journal.append({ type: 'given-back', instance: instance.key, exact: owed.exact });
}

async function letGo(context: InstanceContext): Promise<void> {
  try {
    await (await context.host()).run(scripts.releaseLock, [], { signal: context.signal });
  } catch (error) {
    if (error instanceof ControlFlow || context.signal.aborted) throw error;
    const message = `its lock on the host stays: ${toRexError(error).message}`;
    await context.journal.append({ type: 'log', level: 'warn', instance: context.instance.key, message });
  }
}
