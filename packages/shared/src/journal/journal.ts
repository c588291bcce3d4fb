import type { Redis } from 'ioredis';
import { LeaseLost } from '../errors/control-flow.js';
import { RexError } from '../errors/rex-error.js';
import type { Keys } from '../redis/keys.js';
import { eventSchema, type JournalEvent, type NewEvent } from './events.js';
import { fold, reduce } from './reduce.js';
import { APPEND, CLAIM } from './scripts.js';
import type { DeploymentState } from './state.js';

/** An event and its place in the stream; the place is also the id that SSE clients resume from. */
export interface Entry {
  id: string;
  event: JournalEvent;
}

/** One page of a journal, oldest first. `after` is a stream id; '0' reads from the start. */
export async function readJournal(redis: Redis, keys: Keys, id: string, after = '0'): Promise<Entry[]> {
  const from = after === '0' ? '-' : `(${after}`;
  const rows = await redis.xrange(keys.journal(id), from, '+');
  return rows.map(([entryId, fields]) => ({ id: entryId, event: parseEvent(fields, id) }));
}

/** Parses the fields of a stream entry. @throws RexError when the entry is not one of ours */
export function parseEvent(fields: readonly string[], id: string): JournalEvent {
  const parsed = eventSchema.safeParse(JSON.parse(fields[fields.indexOf('e') + 1] ?? 'null'));
  if (parsed.success) return parsed.data;
  throw new RexError({
    what: `the journal holds an event that this version cannot read: ${parsed.error.message}`,
    where: id,
    whatToDo: 'run a version at least as new as the one that wrote it',
  });
}

/** The owner's end of a journal: appends, and keeps the state that the appended events add up to. */
export interface Journal {
  readonly id: string;
  readonly epoch: number;
  readonly state: DeploymentState;
  /** @throws LeaseLost when another worker owns the deployment now; nothing was written then */
  append(...events: NewEvent[]): Promise<void>;
}

/**
 * Makes `worker` the owner and returns the journal to write to.
 * @returns undefined when the deployment is gone or has ended: there is nothing to do
 */
export async function claim(redis: Redis, keys: Keys, id: string, worker: string): Promise<Journal | undefined> {
  // Read once before: a journal that cannot be read must not grow by a claim at every attempt.
  await foldJournal(redis, keys, id);
  const event = JSON.stringify({ type: 'claimed', at: new Date().toISOString(), worker, epoch: '@EPOCH@' });
  const template = event.replace('"@EPOCH@"', '@EPOCH@');
  const epoch = Number(await CLAIM.run(redis, [keys.record(id), keys.journal(id)], [worker, template]));
  if (epoch < 0) return undefined;
  const state = await foldJournal(redis, keys, id);
  if (state === undefined) return undefined;
  return new RedisJournal(redis, keys, epoch, state);
}

/** A whole journal as the state it adds up to; undefined when it is empty. */
async function foldJournal(redis: Redis, keys: Keys, id: string): Promise<DeploymentState | undefined> {
  return fold((await readJournal(redis, keys, id)).map(({ event }) => event));
}

class RedisJournal implements Journal {
  readonly id: string;
  readonly epoch: number;
  readonly #redis: Redis;
  readonly #keys: Keys;
  #state: DeploymentState;
  /** Appends run one after another, so that state and stream have the same order. */
  #tail: Promise<void> = Promise.resolve();

  constructor(redis: Redis, keys: Keys, epoch: number, state: DeploymentState) {
    this.id = state.id;
    this.epoch = epoch;
    this.#redis = redis;
    this.#keys = keys;
    this.#state = state;
  }

  get state(): DeploymentState {
    return this.#state;
  }

  append(...events: NewEvent[]): Promise<void> {
    const turn = this.#tail.then(() => this.#write(events));
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async #write(events: readonly NewEvent[]): Promise<void> {
    const at = new Date().toISOString();
    const stamped = events.map((event) => eventSchema.parse({ ...event, at }));
    let next = this.#state;
    for (const event of stamped) next = reduce(next, event);
    const keys = [
      this.#keys.record(this.id),
      this.#keys.journal(this.id),
      this.#keys.lock(next.request.name),
      this.#keys.open,
    ];
    const lines = stamped.map((event) => JSON.stringify(event));
    const kept = await APPEND.run(this.#redis, keys, [this.id, String(this.epoch), next.state, ...lines]);
    if (kept !== 1) throw new LeaseLost(`${this.id} has another owner than epoch ${this.epoch}`);
    this.#state = next;
  }
}
