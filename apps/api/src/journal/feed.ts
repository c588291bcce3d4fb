import { setTimeout as pause } from 'node:timers/promises';
import { parseEvent } from '@rexdeploy/shared/journal/journal';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { FastifyBaseLogger } from 'fastify';
import type { Redis } from 'ioredis';
import { JournalWatch } from './watch.js';

/** A read blocks this long at most; so long a newly watched journal waits to be included. */
const BLOCK_MS = 200;
/** A read that takes longer hangs on a connection that is dead without knowing it. */
const READ_LIMIT_MS = 5_000;
const COUNT = 200;
const RETRY_MS = 250;

interface Watched {
  id: string;
  /** Last entry that was handed out. */
  position: string;
  watches: Set<JournalWatch>;
}

/**
 * Live journals: one blocking reader for all of them and any number of watchers. It remembers its place in each journal,
 * so that nothing is lost or told twice when Redis was away.
 */
export class JournalFeed {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #log: FastifyBaseLogger;
  /** By key of the stream. */
  readonly #watched = new Map<string, Watched>();
  #reading: Promise<void> | undefined;

  /** @param redis a connection of its own (`redisOptions('blocking')`): it blocks all the time */
  constructor(redis: Redis, keys: Keys, log: FastifyBaseLogger) {
    this.#redis = redis;
    this.#keys = keys;
    this.#log = log;
  }

  /**
   * Watches a journal. Entries up to `after` are not told; such that came before the call may be missing, so the caller
   * reads the journal after `after` once more.
   */
  watch(id: string, after: string): JournalWatch {
    const key = this.#keys.journal(id);
    const watched = this.#watched.get(key) ?? { id, position: after, watches: new Set() };
    this.#watched.set(key, watched);
    const watch: JournalWatch = new JournalWatch(() => {
      watched.watches.delete(watch);
      if (watched.watches.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
    });
    watched.watches.add(watch);
    this.#read();
    return watch;
  }

  #read(): void {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
      // Somebody may have come between the last look and here.
      if (this.#watched.size > 0) this.#read();
    });
  }

  /** Reads for as long as anybody watches. */
  async #readAll(): Promise<void> {
    while (this.#watched.size > 0) {
      try {
        for (const [key, rows] of await this.#readOnce()) this.#handOut(key, rows);
      } catch (error) {
        this.#log.warn({ err: error }, 'reading journals failed; it is tried again');
        await pause(RETRY_MS);
      }
    }
  }

  async #readOnce(): Promise<[string, [string, string[]][]][]> {
    const keys = [...this.#watched.keys()];
    const positions = [...this.#watched.values()].map(({ position }) => position);
    const limit = new AbortController();
    const tooLong = pause(READ_LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
      this.#redis.disconnect(true);
      throw new Error(`Redis did not answer within ${READ_LIMIT_MS} ms; connecting again`);
    });
    tooLong.catch(() => undefined);
    try {
      const read = this.#redis.xread('COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...positions);
      read.catch(() => undefined);
      return (await Promise.race([read, tooLong])) ?? [];
    } finally {
      limit.abort();
    }
  }

  #handOut(key: string, rows: readonly [string, string[]][]): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    for (const [id, fields] of rows) {
      watched.position = id;
      try {
        const entry = { id, event: parseEvent(fields, watched.id) };
        for (const watch of watched.watches) watch.push(entry);
      } catch {
        // Each reader meets the unreadable entry in the journal, and tells its client.
        for (const watch of watched.watches) watch.fallBehind();
      }
    }
  }
}
