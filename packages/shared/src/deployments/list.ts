import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.js';
import { NO_ROLLOUT } from './no-rollout.js';

/** The head of a deployment's record: enough for lists and filters; all else stands in the journal. */
export interface DeploymentHead {
  id: string;
  name: string;
  action: string;
  state: string;
  by: string;
  createdMs: number;
}

/** What reads a record: the connection, or what collects reads for it. */
interface HashReader {
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
}

/** One deployment's head; undefined when there is none of that id. Records grow by what is noted in them: only these fields are read. */
export async function findHead(reads: HashReader, keys: Keys, id: string): Promise<DeploymentHead | undefined> {
  const fields = await reads.hmget(keys.record(id), 'id', 'name', 'action', 'state', 'by', 'created');
  const [known = '', name = '', action = '', state = '', by = '', created] = fields.map((value) => value ?? '');
  return known === '' ? undefined : { id, name, action, state, by, createdMs: Number(created) };
}

/**
 * Deployments newest first.
 * @param filter `name` and `state` narrow, `rollouts` to what brought releases; `before` is the id after which the page begins (the former page's last)
 */
export async function listHeads(
  redis: Redis,
  keys: Keys,
  filter: {
    name?: string | undefined;
    state?: string | undefined;
    rollouts?: boolean | undefined;
    before?: string | undefined;
    limit: number;
  },
): Promise<DeploymentHead[]> {
  const index = filter.name === undefined ? keys.all : keys.ofName(filter.name);
  const heads: DeploymentHead[] = [];
  let start = filter.before === undefined ? 0 : await rankAfter(redis, index, filter.before);
  const page = Math.max(filter.limit, 50);
  while (heads.length < filter.limit) {
    const ids = await redis.zrevrange(index, start, start + page - 1);
    if (ids.length === 0) break;
    start += ids.length;
    for (const head of await Promise.all(ids.map((id) => findHead(redis, keys, id)))) {
      if (head === undefined || (filter.state !== undefined && head.state !== filter.state)) continue;
      if (filter.rollouts !== true || !NO_ROLLOUT.has(head.action)) heads.push(head);
    }
  }
  return heads.slice(0, filter.limit);
}

async function rankAfter(redis: Redis, index: string, id: string): Promise<number> {
  const rank = await redis.zrevrank(index, id);
  return rank === null ? 0 : rank + 1;
}
