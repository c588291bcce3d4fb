import { setTimeout as pause } from 'node:timers/promises';
import { askDeployment } from '@rexdeploy/shared/deployments/control';
import { handOn } from '@rexdeploy/shared/deployments/free-name';
import { manifestsInUse } from '@rexdeploy/shared/deployments/manifests-in-use';
import { forgetOld } from '@rexdeploy/shared/deployments/retention';
import { sendTicket, type Ticket } from '@rexdeploy/shared/queue/tickets';
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { WorkerParts } from './processor.js';
import { sweepLedger } from './sweeper.js';

/** Longest between two rounds. Each is the worker's sign of life too; /readyz counts a worker as gone after 30 s. */
const PERIOD_MS = 5_000;
/** Longest that the end of this process waits for the last round. */
const LEAVE_MS = 2_000;
const RETENTION_PERIOD_MS = 10 * 60_000;
/** A sign of life older than this is forgotten. */
const FORGET_WORKER_MS = 3600_000;

/**
 * Keeps queue and journals in step, whatever crashed in between: a deployment that has not ended always has a ticket.
 * Also tells that this worker lives, and forgets old deployments.
 */
export class Reconciler {
  readonly #parts: WorkerParts;
  readonly #queue: Queue<Ticket>;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #lastRetentionMs = 0;

  constructor(parts: WorkerParts, queue: Queue<Ticket>, log: Logger) {
    this.#parts = parts;
    this.#queue = queue;
    this.#log = log;
  }

  /** Runs once at once, then regularly. */
  async start(): Promise<void> {
    await this.#round();
    this.#timer = setInterval(
      () => {
        // While Redis is away a round waits; more of them would all run at once afterwards.
        if (this.#busy) return;
        this.#busy = true;
        this.#running = this.#round().finally(() => {
          this.#busy = false;
        });
      },
      Math.min(PERIOD_MS, this.#parts.config.worker.stalledCheckMs),
    );
  }

  /** Tells that this worker leaves. @returns whether others live; false also when Redis does not say so in time */
  async leave(): Promise<boolean> {
    clearInterval(this.#timer);
    return Promise.race([this.#sayGoodbye(), pause(LEAVE_MS, false)]);
  }

  async #sayGoodbye(): Promise<boolean> {
    await this.#running;
    const { redis, keys, id } = this.#parts;
    await redis.zrem(keys.workers, id);
    return (await redis.zcount(keys.workers, Date.now() - 3 * PERIOD_MS, '+inf')) > 0;
  }

  /** Nothing here is worth waiting for a Redis that is away. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([this.#running, pause(LEAVE_MS)]);
  }

  async #round(): Promise<void> {
    try {
      await this.#tellAlive();
      await this.#requeue();
      await sweepLedger(this.#parts, this.#queue, this.#log);
      await this.#forget();
    } catch (error) {
      this.#log.warn({ err: error }, 'reconciling failed; it is tried again');
    }
  }

  async #tellAlive(): Promise<void> {
    const { redis, keys, id } = this.#parts;
    const now = Date.now();
    await redis.zadd(keys.workers, now, id);
    await redis.zremrangebyscore(keys.workers, 0, now - FORGET_WORKER_MS);
  }

  /** Tickets that were never sent, or that BullMQ gave up, are sent again; the journal knows where to go on. */
  async #requeue(): Promise<void> {
    const { redis, keys } = this.#parts;
    for (const id of await redis.smembers(keys.open)) {
      const fields = ['state', 'ticket', 'hold_until', 'waits', 'name'] as const;
      const [status, ticket, until, waits, name] = await redis.hmget(keys.record(id), ...fields);
      if (status === null) {
        // One that only looks was forgotten before anybody took it.
        await redis.srem(keys.open, id);
        continue;
      }
      if (status === 'held') {
        // It waits for people, and not for ever where the configuration says so.
        if (until && Number(until) <= Date.now()) await this.#endHold(id, until);
        continue;
      }
      if (waits === '1') {
        await this.#handOn(name ?? '');
        continue;
      }
      const job = await this.#queue.getJob(ticket ?? id);
      const state = await job?.getState();
      if (job !== undefined && state !== 'completed' && state !== 'failed' && state !== 'unknown') continue;
      // Ended between the two looks: then the ticket is rightly gone.
      if ((await redis.sismember(keys.open, id)) === 0) continue;
      this.#log.warn(
        { deploymentId: id, ticket: state ?? 'missing' },
        'an open deployment had no ticket; queued again',
      );
      await job?.remove();
      await sendTicket(this.#queue, id, ticket ?? id);
    }
  }

  /** Who is in line gets its ticket with the name, which waits for nobody should its owner be lost without a trace. */
  async #handOn(name: string): Promise<void> {
    const { redis, keys } = this.#parts;
    const next = await handOn(redis, keys, name);
    if (next === undefined) return;
    this.#log.warn({ deploymentId: next, name }, 'nobody held the name of one that waits for it: it is its turn');
    await sendTicket(this.#queue, next);
  }

  async #endHold(id: string, until: string): Promise<void> {
    const { redis, keys } = this.#parts;
    const name = (await redis.hget(keys.record(id), 'name')) ?? '';
    const ended = await askDeployment(redis, keys, { id, name }, 'cancel', 'hold_timeout', until);
    if (ended.outcome === 'not-held') return;
    this.#log.warn({ deploymentId: id, outcome: ended.outcome }, 'held for longer than hold_timeout: cancelled');
    if (ended.outcome === 'woken') await sendTicket(this.#queue, id, ended.ticket);
  }

  async #forget(): Promise<void> {
    if (Date.now() - this.#lastRetentionMs < RETENTION_PERIOD_MS) return;
    this.#lastRetentionMs = Date.now();
    const { redis, keys, config } = this.#parts;
    const forgotten = await forgetOld(redis, keys, config.journal, Date.now(), [...config.own.names.keys()]);
    if (forgotten > 0) this.#log.info({ forgotten }, 'old deployments forgotten');
    await this.#freeStore();
  }

  /** Contents that no package, no deployment under way and no release on a host needs are removed from `data_dir`. */
  async #freeStore(): Promise<void> {
    const { redis, keys, config, store } = this.#parts;
    const rules = [...config.own.names.values()].map(({ k, keepReleases }) => ({ name: k, newest: keepReleases }));
    const freed = await store.collectGarbage([...(await manifestsInUse(redis, keys, rules))]);
    if (freed.blobs + freed.manifests > 0) this.#log.info(freed, 'contents that nobody needs removed');
  }
}
