import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { scripts } from '../hosts/remote-scripts.js';
import { instanceContext, type RolloutContext } from './context.js';
import { forEachLimited, LIGHT_PARALLEL } from './limited.js';

const LOCKING: ReadonlySet<string> = new Set(['stage', 'drain']);

/**
 * Gives back the locks on the hosts that this deployment took. One on a host that cannot be reached stays, and is told:
 * the next deployment of this controller takes it over.
 */
export async function releaseLocks(rollout: RolloutContext): Promise<void> {
  const { journal, signal } = rollout;
  const { instances, request } = journal.state;
  if (request.dryRun) return;
  // One where a step failed while looking was never locked.
  const touched = Object.keys(instances).filter((key) =>
    instances[key]?.steps.some(({ step, found }) => LOCKING.has(step) && Object.keys(found).length > 0),
  );
  await forEachLimited(touched, LIGHT_PARALLEL, async (key) => {
    try {
      await (await instanceContext(rollout, key).host()).run(scripts.releaseLock, [], { signal });
    } catch (error) {
      if (error instanceof ControlFlow || signal.aborted) throw error;
      const message = `its lock on the host stays: ${toRexError(error).message}`;
      await journal.append({ type: 'log', level: 'warn', instance: key, message });
    }
  });
}
