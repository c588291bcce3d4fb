import type { JobView } from '@rexdeploy/shared/api/envelope-schema';
import { ID } from '@rexdeploy/shared/api/id-schema';
import type { JobRow } from '@rexdeploy/shared/api/routes/jobs';
import { type DeploymentHead, findHead, listHeads } from '@rexdeploy/shared/deployments/list';
import { JournalError, NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import { jobView } from '@rexdeploy/shared/journal/envelope';
import { type Entry, parseEvent } from '@rexdeploy/shared/journal/journal';
import { reduce } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, isTerminal } from '@rexdeploy/shared/journal/state';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { askRedis } from './redis/ask.js';
import { TurnReads } from './redis/turn-reads.js';

/** Entries read at once; a journal is longer only in long or troubled deployments. */
const PAGE = 500;
/** Deployments whose state is kept; the longest page of the history fits, unless its journals are very long. */
const KEPT_STATES = 300;
/** Of the journals behind these states, as they are in Redis. */
const KEPT_BYTES = 64 * 1024 ** 2;

/** A deployment as far as its journal was read. */
export interface Folded {
  readonly state: DeploymentState;
  /** Id of the last entry in `state`. */
  readonly lastId: string;
  /** Of the entries, in characters. */
  readonly size: number;
}

/** What a poll needs, asked for together. Who may see it is known only with the head. */
export interface Looked {
  readonly head: Promise<DeploymentHead>;
  readonly found: Promise<Folded>;
}

/** What the API knows of deployments: all of it read from the journals, folded once and then only their tails. */
export class Deployments {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #reads: TurnReads;
  readonly #folded = new LRUCache<string, Folded>({
    max: KEPT_STATES,
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ size }) => size,
  });

  /** @param reads what collects the reads of a turn; others of the same process should be asked together with ours */
  constructor(redis: Redis, keys: Keys, reads = new TurnReads(redis)) {
    this.#redis = redis;
    this.#keys = keys;
    this.#reads = reads;
    this.head = reads.once((id) => this.#head(id));
    this.find = reads.once((id) => this.findNow(id));
  }

  /** What the record tells. @throws NotFoundError naming the id */
  readonly head: (id: string) => Promise<DeploymentHead>;

  /**
   * The deployment as it is now, and the id of the last entry that says so. Asked once in a turn: what was learned from
   * elsewhere within it, as by the event feed, may be missing.
   * @throws NotFoundError naming the id
   */
  readonly find: (id: string) => Promise<Folded>;

  /** As `find`, asked by itself: it tells all that was in the journal when it was called. @throws NotFoundError naming the id */
  async findNow(id: string): Promise<Folded> {
    const kept = this.#folded.get(id);
    let folded = kept;
    // Also of one that has ended: what others do with its record later is noted after its end.
    for (let more = true; more; ) {
      // From the last known entry on, and not after it: where that is gone, Redis was set back to an earlier day.
      const rows = await this.#rows(id, folded?.lastId ?? '-');
      const known = folded === undefined ? 0 : 1;
      if (folded !== undefined && rows[0]?.[0] !== folded.lastId) {
        folded = undefined;
        continue;
      }
      for (const [lastId, fields] of rows.slice(known)) {
        const state = reduce(folded?.state, parseEvent(fields, id));
        folded = { state, lastId, size: (folded?.size ?? 0) + sizeOf(fields) };
      }
      more = rows.length === PAGE;
    }
    if (folded === undefined) {
      // Nobody is to be told of it by `lastKnown`, and nothing read ahead.
      this.#folded.delete(id);
      throw new NotFoundError({ what: `there is no journal of job ${id}` });
    }
    if (folded !== kept) this.#folded.set(id, folded);
    return folded;
  }

  /**
   * The deployment for somebody who has seen its end. Most are told together, of one end; only where what others asked in this
   * turn does not tell of it yet is it asked by itself.
   * @throws NotFoundError naming the id
   */
  async findEnded(id: string): Promise<Folded> {
    const found = await this.find(id);
    return isTerminal(found.state.state) ? found : this.findNow(id);
  }

  /**
   * Begins to read a deployment that was read before, for somebody whose token is still being looked up: of what is known
   * already only the news are read, which costs nothing worth protecting.
   * @returns undefined for one that is not known yet
   */
  lookAhead(id: string): Looked | undefined {
    if (!this.#folded.has(id)) return undefined;
    const looked = { head: this.head(id), found: this.find(id) };
    // Nobody may come for it: a token can turn out to be no good.
    for (const promise of [looked.head, looked.found]) promise.catch(() => undefined);
    return looked;
  }

  /** The deployment as it was read last, without asking Redis. */
  lastKnown(id: string): DeploymentState | undefined {
    return this.#folded.get(id)?.state;
  }

  /** One page of a journal after an entry, or from its start. */
  async readAfter(id: string, after: string | undefined): Promise<Entry[]> {
    const rows = await this.#rows(id, after === undefined ? '-' : `(${after}`);
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
    /** Older ones are not looked at. */
    sinceMs?: number;
  }): Promise<{ heads: DeploymentHead[]; more: boolean }> {
    const { name, state, rollouts, limit, sinceMs = 0 } = filter;
    const heads: DeploymentHead[] = [];
    let before = filter.before;
    while (heads.length <= limit) {
      const cursor = before;
      const query = { name, state, rollouts, before: cursor, limit: limit + 1 };
      const page = await askRedis(() => listHeads(this.#redis, this.#keys, query));
      const young = page.filter(({ createdMs }) => createdMs >= sinceMs);
      heads.push(...young.filter(filter.mayShow));
      if (page.length <= limit || young.length < page.length) break;
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
    const state = await this.#readable(head);
    return state === undefined ? bare(head) : jobView(state);
  }

  /** A row of the history. */
  async row(head: DeploymentHead): Promise<JobRow> {
    const state = await this.#readable(head);
    const view = state === undefined ? bare(head) : jobView(state);
    const ended = state !== undefined && isTerminal(state.state);
    return {
      ...view,
      by: head.by,
      ended_at: ended ? new Date(state.lastMs).toISOString() : {},
      dry_run: state?.request.dryRun === true ? '1' : '0',
    };
  }

  async #readable({ id }: DeploymentHead): Promise<DeploymentState | undefined> {
    try {
      return (await this.find(id)).state;
    } catch (error) {
      if (error instanceof NotFoundError || error instanceof JournalError) return undefined;
      throw error;
    }
  }

  async #head(id: string): Promise<DeploymentHead> {
    const head = ID.test(id) ? await askRedis(() => findHead(this.#reads, this.#keys, id)) : undefined;
    if (head === undefined) throw new NotFoundError({ what: `there is no job ${JSON.stringify(id.slice(0, 80))}` });
    return head;
  }

  #rows(id: string, from: string): Promise<[string, string[]][]> {
    return askRedis(() => this.#reads.xrange(this.#keys.journal(id), from, PAGE));
  }
}

const sizeOf = (fields: readonly string[]): number => fields.reduce((sum, text) => sum + text.length, 1);

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
