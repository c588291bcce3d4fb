import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { RolloutError } from '@rexdeploy/shared/errors/deployment-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { fenced } from '../hosts/fence.js';
import { lookAtLock } from '../hosts/host-lock.js';
import { releaseFolder } from '../hosts/release-folder.js';
import { scripts } from '../hosts/remote-scripts.js';
import { hostOf, type RolloutContext } from '../rollout/context.js';
import { forEachLimited } from '../rollout/limited.js';

/**
 * Removes the locks that ended deployments left on the hosts of a name. This deployment holds the name, so whatever of
 * this controller holds a host is gone; of another controller nobody can know that here, and `force` decides.
 * @throws RolloutError naming every lock that stays, and whose it is
 */
export async function unlock(context: RolloutContext): Promise<void> {
  const left: string[] = [];
  const keys = context.journal.state.request.batches.flat();
  await forEachLimited(keys, context.name.transfer.parallel, async (key) => {
    try {
      const stays = await unlockInstance(context, key);
      if (stays !== undefined) left.push(stays);
    } catch (error) {
      if (error instanceof ControlFlow || context.signal.aborted) throw error;
      left.push(`${key}: ${toRexError(error).message}`);
    }
  });
  if (left.length === 0) return;
  throw new RolloutError({
    what: `not unlocked: ${left.sort().join('; ')}`,
    whatToDo: 'wait until that controller has ended, or repeat with force=1 where it is gone for good',
  });
}

/** @returns why its lock stays; undefined when it is free now */
async function unlockInstance(context: RolloutContext, key: string): Promise<string | undefined> {
  const { journal, signal, controller } = context;
  const instance = context.name.instances.get(key);
  if (instance === undefined) return `${key} is no longer in the configuration`;
  const host = await hostOf(context, instance.host, instance.ssh);
  const lock = await lookAtLock(host, instance.programDir, signal);
  if (lock === undefined) return undefined;
  const whose = `deployment ${lock.deployment} (worker ${lock.worker}, controller ${lock.controller}) since ${lock.since}`;
  if (lock.controller !== controller && journal.state.request.force !== true) {
    return `${key} is held by another controller's ${whose}`;
  }
  const place = { ...releaseFolder(instance.programDir), mode: 'break' as const };
  await fenced(host, place, context).run(scripts.releaseLock, [], { signal });
  const message = `the lock of ${whose} was removed`;
  await journal.append({ type: 'log', level: 'warn', instance: key, message });
  return undefined;
}
