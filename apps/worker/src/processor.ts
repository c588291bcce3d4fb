import type { Config } from '@rexdeploy/shared/config/resolved';
import { ControlFlow, HandBack } from '@rexdeploy/shared/errors/control-flow';
import { RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import { claim, type Journal } from '@rexdeploy/shared/journal/journal';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import { Connections } from '@rexdeploy/ssh/connections';
import type { Store } from '@rexdeploy/store/store';
import type { Redis } from 'ioredis';
import { rollOut } from './rollout/rollout.js';

/** What a worker has for every deployment. */
export interface WorkerParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: Store;
  /** Name of this worker, for journals. */
  readonly id: string;
  readonly stopping: () => boolean;
}

/** Far more than any number of restarts that one roll-out meets. */
const MAX_OWNERS = 50;

/** How a run ended, for the queue. */
export type Outcome = 'ended' | 'gone' | 'handed-back' | 'lost';

/**
 * Takes one deployment and walks it to its end. A failed roll-out is an `ended` one: its journal says so.
 * @param onChange told of the state after every event, e.g. to show progress in the queue
 * @throws Error when Redis fails; the queue gives the deployment to a worker again then
 */
export async function processDeployment(
  parts: WorkerParts,
  id: string,
  signal: AbortSignal,
  onChange: (state: DeploymentState) => void,
): Promise<Outcome> {
  const owned = await claim(parts.redis, parts.keys, id, parts.id);
  if (owned === undefined) return 'gone';
  const journal = observed(owned, onChange);
  const connections = new Connections();
  try {
    refuseForEver(journal);
    await run(parts, journal, connections, signal);
    return 'ended';
  } catch (thrown) {
    if (thrown instanceof HandBack) {
      await journal.append({ type: 'handed-back', worker: parts.id, reason: thrown.message });
      return 'handed-back';
    }
    if (thrown instanceof ControlFlow || signal.aborted) return 'lost';
    // Should Redis be what failed, this append fails too, and the deployment is taken up again later.
    await journal.append({ type: 'finished', state: 'failed', error: toRexError(thrown).toRecord() });
    return 'ended';
  } finally {
    await connections.closeAll();
  }
}

/** A deployment whose workers keep dying is ended, so that its name does not stay locked for ever. */
function refuseForEver(journal: Journal): void {
  if (journal.epoch <= MAX_OWNERS) return;
  const open = Object.values(journal.state.instances).filter(
    ({ steps }) =>
      steps.some(({ step, status }) => step === 'drain' && status !== 'undone') &&
      !steps.some(({ step, status }) => step === 'restore' && status === 'done'),
  );
  const left = open.map(({ instance }) => instance).join(' ') || 'none';
  throw new RexError({
    what: `given up after ${MAX_OWNERS} workers began it and none finished; possibly out of rotation: ${left}`,
    whatToDo: "read the workers' logs, look at these instances, then deploy again",
  });
}

async function run(parts: WorkerParts, journal: Journal, connections: Connections, signal: AbortSignal): Promise<void> {
  const { config, store, stopping } = parts;
  const name = config.own.names.get(journal.state.request.name);
  if (name === undefined) {
    throw new RexError({
      what: `the name ${journal.state.request.name} is no longer in the configuration`,
      where: config.file,
      whatToDo: 'put it back, then send the request again',
    });
  }
  await rollOut({ config, name, journal, store, connections, signal, stopping });
  await journal.append({ type: 'finished', state: 'succeeded' });
}

/** The journal, telling of every change. */
function observed(journal: Journal, onChange: (state: DeploymentState) => void): Journal {
  return {
    id: journal.id,
    epoch: journal.epoch,
    get state() {
      return journal.state;
    },
    async append(...events: NewEvent[]) {
      await journal.append(...events);
      onChange(journal.state);
    },
  };
}
