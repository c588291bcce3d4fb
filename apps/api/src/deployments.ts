import type { JobView } from '@rexdeploy/shared/api/envelope-schema';
import { ID } from '@rexdeploy/shared/api/id-schema';
import { type DeploymentHead, findHead, listHeads } from '@rexdeploy/shared/deployments/list';
import { JournalError, NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import { jobView } from '@rexdeploy/shared/journal/envelope';
import { type Entry, parseEvent } from '@rexdeploy/shared/journal/journal';
import { reduce } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { Redis } from 'ioredis';
import { askRedis } from './redis/ask.js';

/** Entries read at once; a journal is longer only in long or troubled deployments. */
const PAGE = 500;
/** Deployments whose state is kept; the longest page of the history fits. */
const KEPT_STATES = 300;

/** A deployment as far as its journal was read. */
interface Folded {
  state: DeploymentState;
  /** Id of the last entry in `state`. */
  lastId: string;
}

/** What the API knows of deployments: all of it read from the journals, folded once and then only their tails. */
export class Deployments {
  readonly #redis: Redis;
  readonly #keys: Keys;
  /** Least recently used first. */
  readonly #folded = new Map<string, Folded>();

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @throws NotFoundError naming the id */
  async head(id: string): Promise<DeploymentHead> {
    const head = ID.test(id) ? await askRedis(() => findHead(this.#redis, this.#keys, id)) : undefined;
    if (head === undefined) throw new NotFoundError({ what: `there is no job ${JSON.stringify(id.slice(0, 80))}` });
    return head;
  }

  /** The deployment as it is now, and the id of the last entry that says so. @throws NotFoundError naming the id */
  async find(id: string): Promise<Folded> {
    let folded = this.#folded.get(id);
    // Also of one that has ended: what others do with its record later is noted after its end.
    for (let more = true; more; ) {
      const page: Entry[] = await this.readAfter(id, folded?.lastId);
      for (const { id: lastId, event } of page) folded = { state: reduce(folded?.state, event), lastId };
      more = page.length === PAGE;
    }
    if (folded === undefined) throw new NotFoundError({ what: `there is no journal of job ${id}` });
    this.#keep(id, folded);
    return folded;
  }

  /** The deployment as it was read last, without asking Redis. */
  lastKnown(id: string): DeploymentState | undefined {
    return this.#folded.get(id)?.state;
  }

  /** One page of a journal after an entry, or from its start. */
  async readAfter(id: string, after: string | undefined): Promise<Entry[]> {
    const from = after === undefined ? '-' : `(${after}`;
    const rows = await askRedis(() => this.#redis.xrange(this.#keys.journal(id), from, '+', 'COUNT', PAGE));
    return rows.map(([entryId, fields]) => ({ id: entryId, event: parseEvent(fields, id) }));
  }

  /**
   * A page of the history, newest first.
   * @param filter `before` is the last id of the former page; `mayShow` is asked for every deployment
   * @returns `more` tells whether an older one follows
   */
  async list(filter: {
    name?: string | undefined;
    state?: string | undefined;
    rollouts?: boolean | undefined;
    before?: string | undefined;
    limit: number;
    mayShow: (head: DeploymentHead) => boolean;
  }): Promise<{ heads: DeploymentHead[]; more: boolean }> {
    const { name, state, rollouts, limit } = filter;
    const heads: DeploymentHead[] = [];
    let before = filter.before;
    while (heads.length <= limit) {
      const cursor = before;
      const query = { name, state, rollouts, before: cursor, limit: limit + 1 };
      const page = await askRedis(() => listHeads(this.#redis, this.#keys, query));
      heads.push(...page.filter(filter.mayShow));
      if (page.length <= limit) break;
      before = page.at(-1)?.id;
    }
    return { heads: heads.slice(0, limit), more: heads.length > limit };
  }

  /** The newest deployment of a name. */
  async newest(name: string): Promise<DeploymentHead | undefined> {
    const [head] = await askRedis(() => listHeads(this.#redis, this.#keys, { name, limit: 1 }));
    return head;
  }

  /** The deployment that holds the name, and its head unless that is lost. */
  async lockOwner(name: string): Promise<{ id: string; head: DeploymentHead | undefined } | undefined> {
    const id = await askRedis(() => this.#redis.get(this.#keys.lock(name)));
    return id === null ? undefined : { id, head: await askRedis(() => findHead(this.#redis, this.#keys, id)) };
  }

  /** `job` of an answer. A journal that cannot be read spoils its own row only, not the page. */
  async view(head: DeploymentHead): Promise<JobView> {
    try {
      return jobView((await this.find(head.id)).state);
    } catch (error) {
      if (error instanceof NotFoundError || error instanceof JournalError) return bare(head);
      throw error;
    }
  }

  #keep(id: string, folded: Folded): void {
    this.#folded.delete(id);
    this.#folded.set(id, folded);
    const [oldest] = this.#folded.keys();
    if (this.#folded.size > KEPT_STATES && oldest !== undefined) this.#folded.delete(oldest);
  }
}

/** What the record alone tells. */
function bare(head: DeploymentHead): JobView {
  return {
    id: head.id,
    state: head.state as JobView['state'],
    k: head.name,
    action: head.action,
    created_at: new Date(head.createdMs).toISOString(),
    url: `/jobs/${head.id}`,
    events: `/jobs/${head.id}/events`,
    progress: { done: '', total: '', instance: '', step: '', bytes: '', bytes_total: '' },
  };
}
