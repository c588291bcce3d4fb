import { parseEvent } from '@rexdeploy/shared/journal/journal';
import { type NoticeTicket, sendNotice } from '@rexdeploy/shared/queue/notices';
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { WorkerParts } from '../processor.js';
import { noticeTypeOf } from './notice.js';

/**
 * Queues the tickets of events that people are told of. Such events stand in a set from the moment that they are in the
 * journal, and leave it when their tickets are queued: a worker that dies in between has lost nothing, and since a
 * ticket's id follows from its event, one that is queued twice is one ticket.
 */
export class Herald {
  readonly #parts: Pick<WorkerParts, 'config' | 'redis' | 'keys'>;
  readonly #queue: Queue<NoticeTicket>;
  readonly #log: Logger;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(parts: Pick<WorkerParts, 'config' | 'redis' | 'keys'>, queue: Queue<NoticeTicket>, log: Logger) {
    this.#parts = parts;
    this.#queue = queue;
    this.#log = log;
  }

  /** Looks whether there is something to tell. Nobody waits for it. */
  nudge(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#round();
      } catch (error) {
        this.#log.warn({ err: error }, 'notices could not be queued yet; it is tried again');
        return;
      }
    }
  }

  async #round(): Promise<void> {
    const { redis, keys } = this.#parts;
    for (const member of (await redis.smembers(keys.untold)).sort()) {
      const [deploymentId = '', entry = ''] = member.split(' ');
      await this.#tell(deploymentId, entry);
      await redis.srem(keys.untold, member);
    }
  }

  async #tell(deploymentId: string, entry: string): Promise<void> {
    const { config, redis, keys } = this.#parts;
    if (config.notify.length === 0) return;
    const journal = keys.journal(deploymentId);
    const [[first], [row]] = await Promise.all([
      redis.xrange(journal, '-', '+', 'COUNT', 1),
      redis.xrange(journal, entry, entry),
    ]);
    // Forgotten meanwhile.
    if (first === undefined || row === undefined) return;
    const [accepted, event] = [parseEvent(first[1], deploymentId), parseEvent(row[1], deploymentId)];
    const type = accepted.type === 'accepted' ? noticeTypeOf(event, accepted.request) : undefined;
    if (type === undefined) return;
    for (const { name, events, retryMs } of config.notify) {
      if (events.includes(type)) await sendNotice(this.#queue, { deploymentId, entry, notifier: name }, retryMs);
    }
  }
}
