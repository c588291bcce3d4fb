import type { Redis } from 'ioredis';
import { RexError } from '../errors/rex-error.js';
import { readJournal } from '../journal/journal.js';
import { fold } from '../journal/reduce.js';
import { type DeploymentState, isDone } from '../journal/state.js';
import type { Keys } from '../redis/keys.js';
import { listHeads } from './list.js';
import { labelOf } from './release-label.js';

/** Deployments that are looked through at most; far more than a host keeps releases. */
const MAX_DEPLOYMENTS = 200;

/** The deployments of a name, newest first, without jobs that brought no release. Journals that cannot be read are passed over: the others still tell. */
export async function* deploymentsOf(redis: Redis, keys: Keys, name: string): AsyncGenerator<DeploymentState> {
  for (const { id } of await listHeads(redis, keys, { name, rollouts: true, limit: MAX_DEPLOYMENTS })) {
    const state = await readState(redis, keys, id);
    if (state !== undefined) yield state;
  }
}

async function readState(redis: Redis, keys: Keys, id: string): Promise<DeploymentState | undefined> {
  try {
    return fold((await readJournal(redis, keys, id)).map(({ event }) => event));
  } catch (error) {
    if (error instanceof RexError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Of each instance, the newest deployment that brought it to the release of that label.
 * @param labels the label by instance
 */
export async function findMakers(
  deployments: AsyncIterable<DeploymentState>,
  labels: ReadonlyMap<string, string>,
): Promise<Map<string, DeploymentState>> {
  const makers = new Map<string, DeploymentState>();
  for await (const state of deployments) {
    for (const [key, label] of labels) {
      if (!makers.has(key) && madeLabel(state, key) === label) makers.set(key, state);
    }
    if (makers.size === labels.size) break;
  }
  return makers;
}

/** The label of the release that an instance has by a deployment; undefined when it has none by it. */
export function madeLabel(state: DeploymentState, key: string): string | undefined {
  const instance = state.instances[key];
  const program = isDone(instance) ? instance?.record?.program : undefined;
  return program === undefined ? undefined : labelOf(program.after, program.path);
}
