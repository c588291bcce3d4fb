import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstanceState } from '@rexdeploy/shared/journal/state';
import { retry } from '@rexdeploy/ssh/retry';
import { scripts } from '../hosts/remote-scripts.js';
import { drainFoundSchema } from '../steps/drain.js';
import { type InstanceContext, instanceContext, type RolloutContext } from './context.js';
import { forEachLimited, LIGHT_PARALLEL } from './limited.js';

const LOCKING: ReadonlySet<string> = new Set(['stage', 'drain', 'service']);
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 5_000;

/**
 * Gives back the locks on the hosts that this deployment took. One on a host that cannot be reached stays, and is told:
 * the next deployment of this controller takes it over.
 */
export async function releaseLocks(rollout: RolloutContext): Promise<void> {
  const { instances, request } = rollout.journal.state;
  if (request.dryRun) return;
  // Whoever notes something on a host takes its lock.
  await rollout.lately.remembered.settled();
  // One where a step failed while looking was never locked.
  const touched = Object.keys(instances).filter(
    (key) =>
      !rollout.lately.unlocked.has(key) &&
      instances[key]?.steps.some(({ step, found }) => LOCKING.has(step) && Object.keys(found).length > 0),
  );
  await forEachLimited(touched, LIGHT_PARALLEL, (key) => releaseLock(rollout, key));
}

/** The same for one instance. */
export async function releaseLock(rollout: RolloutContext, key: string): Promise<void> {
  const { journal, name, signal } = rollout;
  try {
    const instance = instanceContext(rollout, key);
    const args = [noteOf(instance)];
    const options = { attempts: name.retries + 1, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS, signal };
    await retry(async () => (await instance.host()).run(scripts.releaseLock, args, { signal }), options);
    rollout.lately.unlocked.add(key);
  } catch (error) {
    if (error instanceof ControlFlow || signal.aborted) throw error;
    const message = `its lock on the host stays: ${toRexError(error).message}`;
    await journal.append({ type: 'log', level: 'warn', instance: key, message });
  }
}

/**
 * What becomes of the note on the host about an instance's rotation, for release-lock.sh. It is written before the journal
 * says so: a crash in between leaves one that would mislead later.
 */
export function noteOf({ journal, instance }: InstanceContext): string {
  const { instances, request } = journal.state;
  const state = instances[instance.key];
  return keepsNotes(request.action, state) || !isGivenBack(state) ? '' : 'forget';
}

/** Did it leave the rotation to others: past the balancer, or because somebody wished the instance out? */
function keepsNotes(action: string, instance: InstanceState | undefined): boolean {
  const drain = instance?.steps.find(({ step }) => step === 'drain');
  if (drain === undefined) return action === 'release' || action === 'service';
  return drainFoundSchema.safeParse(drain.found).data?.wish !== undefined;
}

/** Is its rotation as this deployment found it, never taken or given back again? */
function isGivenBack(instance: InstanceState | undefined): boolean {
  const find = (name: string) => instance?.steps.find(({ step }) => step === name);
  const drain = find('drain');
  if (drain === undefined || find('restore')?.status === 'done') return true;
  return drain.status === 'undone' && drainFoundSchema.safeParse(drain.found).data?.owed !== true;
}
