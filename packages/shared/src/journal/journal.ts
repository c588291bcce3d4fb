import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { CancelAsked, LeaseLost } from '../errors/control-flow.js';
import { JournalError } from '../errors/request-errors.js';
import { countEvent } from '../metrics/count-event.js';
import type { Count } from '../metrics/stored.js';
import type { Keys } from '../redis/keys.js';
import { eventSchema, type JournalEvent, type NewEvent } from './events.js';
import { type LedgerChange, ledgerChange } from './ledger.js';
import { fold, reduce } from './reduce.js';
import { APPEND, CLAIM, CONFIRM } from './scripts.js';
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

/** Parses the fields of a stream entry. @throws JournalError when the entry is not one of ours */
export function parseEvent(fields: readonly string[], id: string): JournalEvent {
  const text = fields[fields.indexOf('e') + 1] ?? 'null';
  const parsed = eventSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new JournalError({
    what: `the journal holds an event that this version cannot read: ${text.slice(0, MAX_SHOWN)}`,
    where: id,
    whatToDo: 'run a version at least as new as the one that wrote it, or free its name: action=Deploy:Db:initdb',
  });
}

/** Of an event that cannot be read, in characters. */
const MAX_SHOWN = 120;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no event either
  }
}

/** A request of people that the owner has to see to. */
const askedSchema = z.object({ control: z.enum(['cancel', 'hold']), by: z.string() });
export type Asked = z.infer<typeof askedSchema>;

/** The owner's end of a journal: appends, and keeps the state that the appended events add up to. */
export interface Journal {
  readonly id: string;
  readonly epoch: number;
  readonly state: DeploymentState;
  /** What was asked for and is not done yet, as of the last append or `confirm`. */
  readonly asked: Asked | undefined;
  /** Whose turn it is now that this one has ended. */
  readonly next: string | undefined;
  /**
   * @throws LeaseLost when another worker owns the deployment now; CancelAsked when it would be held and is to be cancelled.
   *   Nothing was written then
   */
  append(...events: NewEvent[]): Promise<void>;
  /**
   * Makes sure that this is still the owner, and learns what was asked for.
   * @param withinMs nothing is asked where Redis has said so, to an append or to this, within so many ms; default 0
   * @throws LeaseLost when it is not
   */
  confirm(withinMs?: number): Promise<void>;
}

/**
 * Makes `worker` the owner and returns the journal to write to.
 * @param onAppended told after every append how long it took, in milliseconds
 * @returns undefined when the deployment is gone or has ended: there is nothing to do
 */
export async function claim(
  redis: Redis,
  keys: Keys,
  id: string,
  worker: string,
  onAppended: (ms: number) => void = () => undefined,
): Promise<Journal | undefined> {
  // Read once before: a journal that cannot be read must not grow by a claim at every attempt.
  const before = await foldJournal(redis, keys, id);
  if (before === undefined) return undefined;
  const { name } = before.request;
  const at = new Date().toISOString();
  const event = JSON.stringify({ type: 'claimed', at, worker, epoch: '@EPOCH@' });
  const template = event.replace('"@EPOCH@"', '@EPOCH@');
  const touched = [
    keys.record(id),
    keys.journal(id),
    keys.lock(name),
    keys.waiting(name),
    keys.record(''),
    keys.untold,
  ];
  const mark = randomUUID();
  const epoch = Number(await CLAIM.run(redis, touched, [worker, template, id, at, mark]));
  if (epoch < 0) return undefined;
  const state = await foldJournal(redis, keys, id);
  if (state === undefined) return undefined;
  return new RedisJournal(redis, keys, { epoch, mark }, state, onAppended);
}

/** A whole journal as the state it adds up to; undefined when it is empty. */
async function foldJournal(redis: Redis, keys: Keys, id: string): Promise<DeploymentState | undefined> {
  return fold((await readJournal(redis, keys, id)).map(({ event }) => event));
}

const NEVER = Number.NEGATIVE_INFINITY;

class RedisJournal implements Journal {
  readonly id: string;
  readonly epoch: number;
  /** As the record names it. */
  readonly #owner: string;
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #onAppended: (ms: number) => void;
  #state: DeploymentState;
  #asked: Asked | undefined;
  #next: string | undefined;
  /** When Redis was asked that said so, by this process's clock; `NEVER` where its last answer was another. */
  #ownedMs = NEVER;
  /** Appends run one after another, so that state and stream have the same order. */
  #tail: Promise<void> = Promise.resolve();

  constructor(
    redis: Redis,
    keys: Keys,
    { epoch, mark }: { epoch: number; mark: string },
    state: DeploymentState,
    onAppended: (ms: number) => void,
  ) {
    this.id = state.id;
    this.epoch = epoch;
    this.#owner = `${epoch}.${mark}`;
    this.#redis = redis;
    this.#keys = keys;
    this.#onAppended = onAppended;
    this.#state = state;
    this.#asked = state.asked;
  }

  get asked(): Asked | undefined {
    return this.#asked;
  }

  get next(): string | undefined {
    return this.#next;
  }

  get state(): DeploymentState {
    return this.#state;
  }

  append(...events: NewEvent[]): Promise<void> {
    const givenMs = performance.now();
    const turn = this.#tail.then(() => this.#write(events)).then(() => this.#onAppended(performance.now() - givenMs));
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async confirm(withinMs = 0): Promise<void> {
    const askedMs = performance.now();
    if (askedMs - this.#ownedMs < withinMs) return;
    this.#owned(await CONFIRM.run(this.#redis, [this.#keys.record(this.id)], [this.#owner]), askedMs);
  }

  async #write(events: readonly NewEvent[]): Promise<void> {
    const now = Date.now();
    const at = new Date(now).toISOString();
    const stamped = events.map((event) => eventSchema.parse({ ...event, at }));
    let next = this.#state;
    const changes: LedgerChange[] = [];
    const counts: Count[] = [];
    for (const event of stamped) {
      const before = next;
      next = reduce(next, event);
      counts.push(...countEvent(before, next, event));
      const change = ledgerChange(next, event);
      if (change !== undefined) changes.push(change);
    }
    const { name } = next.request;
    const keys = [
      this.#keys.record(this.id),
      this.#keys.journal(this.id),
      this.#keys.lock(name),
      this.#keys.open,
      this.#keys.drained,
      this.#keys.waiting(name),
      this.#keys.stamp(name),
      this.#keys.record(''),
      this.#keys.untold,
      this.#keys.metrics,
    ];
    const askedMs = performance.now();
    const answer = await APPEND.run(this.#redis, keys, [
      this.id,
      this.#owner,
      next.state,
      holdEnd(stamped),
      at,
      now,
      changes.length,
      ...changes.flatMap(({ instance, entry }) => [instance, entry === undefined ? '' : JSON.stringify(entry)]),
      counts.length,
      ...counts.flat(),
      ...stamped.map((event) => JSON.stringify(event)),
    ]);
    this.#owned(answer, askedMs);
    this.#state = next;
  }

  /** Reads the answer of APPEND and CONFIRM. */
  #owned(answer: unknown, askedMs: number): void {
    // What is refused to one instance is not to pass for the next on the word of an earlier answer.
    this.#ownedMs = NEVER;
    const [owned, control, next] = ownedSchema.parse(answer);
    if (owned === 0) throw new LeaseLost(`${this.id} has another owner than number ${this.epoch}`);
    this.#asked = control === '' ? undefined : askedSchema.parse(JSON.parse(control));
    if (owned === 2) throw new CancelAsked(`cancelled by ${this.#asked?.by}`);
    if (next !== '') this.#next = next;
    this.#ownedMs = askedMs;
  }
}

const ownedSchema = z.tuple([z.number(), z.string(), z.string()]);

/** Milliseconds since 1970 as text; empty unless the events put the deployment on hold with an end. */
function holdEnd(events: readonly JournalEvent[]): string {
  const last = events.at(-1);
  return last?.type === 'held' && last.untilMs !== undefined ? String(last.untilMs) : '';
}
