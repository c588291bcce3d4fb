import { setTimeout as pause } from 'node:timers/promises';
import { NOTICE_QUEUE, type NoticeTicket, openNoticeQueue } from '@rexdeploy/shared/queue/notices';
import { redisOptions } from '@rexdeploy/shared/redis/connection';
import { Worker } from 'bullmq';
import type { Logger } from 'pino';
import type { WorkerParts } from '../processor.js';
import { deliver } from './deliver.js';
import { Herald } from './herald.js';

/** Notices on their way at the same time: one receiver that takes its time holds up no other. */
const CONCURRENCY = 16;
/** As for deployments: a worker that died is no reason to give up. */
const MAX_TAKEOVERS = 100;
/** Longest that the end of this process waits for receivers; what is cut off then goes back to the queue. */
const LEAVE_MS = 2_000;

/** Telling people what happens, apart from what happens. */
export interface Notices {
  /** Looks for events that are to be told; nobody waits for it, and it never throws. */
  tell(): void;
  close(): Promise<void>;
}

/** Starts to take tickets of notices, where there is anybody to tell or something was left. */
export async function startNotices(
  parts: Pick<WorkerParts, 'config' | 'redis' | 'keys' | 'id'>,
  redisUrl: string,
  log: Logger,
): Promise<Notices> {
  const { config } = parts;
  const queue = openNoticeQueue(parts.redis, config.redis.prefix, (error) => log.warn({ err: error }, 'notice queue'));
  const herald = new Herald(parts, queue, log);
  const wanted = config.notify.length > 0 || (await queue.count()) > 0;
  const leaving = new AbortController();
  const worker = wanted ? openWorker(parts, redisUrl, leaving.signal, log) : undefined;
  await worker?.waitUntilReady();
  return {
    tell: () => herald.nudge(),
    close: async () => {
      await Promise.race([herald.idle(), pause(LEAVE_MS, undefined, { ref: false })]);
      const closed = worker?.close();
      await Promise.race([closed, pause(LEAVE_MS, undefined, { ref: false })]);
      leaving.abort();
      await closed;
      await queue.close();
    },
  };
}

function openWorker(
  parts: Pick<WorkerParts, 'config' | 'redis' | 'keys' | 'id'>,
  redisUrl: string,
  leaving: AbortSignal,
  log: Logger,
): Worker<NoticeTicket> {
  const { config, id } = parts;
  const worker = new Worker<NoticeTicket>(
    NOTICE_QUEUE,
    // All three parameters must be declared, or the signal is not given.
    (job, token, signal) =>
      deliver(parts, { job, token, signal: signal ?? new AbortController().signal }, leaving, log),
    {
      prefix: config.redis.prefix,
      connection: { url: redisUrl, ...redisOptions('blocking') },
      concurrency: CONCURRENCY,
      lockDuration: config.worker.lockMs,
      stalledInterval: config.worker.stalledCheckMs,
      maxStalledCount: MAX_TAKEOVERS,
      name: id,
    },
  );
  worker.on('error', (error) => log.warn({ err: error }, 'notice worker'));
  worker.on('lockRenewalFailed', (ids) => {
    for (const lost of ids) worker.cancelJob(lost, 'the hold on the ticket was lost');
  });
  return worker;
}
