import { Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** The queue of what people are told: of its own, so that a receiver that is slow or gone never slows a roll-out. */
export const NOTICE_QUEUE = 'notices';

/** Which event of which deployment is told to whom. The rest stands in journal and configuration, secrets too. */
export const noticeTicketSchema = z.object({ deploymentId: z.string(), entry: z.string(), notifier: z.string() });
export type NoticeTicket = z.infer<typeof noticeTicketSchema>;

/** With pauses that double from 30 s on, the last attempt comes about an hour after the first. */
export const NOTICE_ATTEMPTS = 8;
const JITTER = 0.2;
/** An ended ticket keeps its id taken, so that an event that is looked at twice is told once. */
const KEEP_DONE = { count: 5000, age: 24 * 3600 };
const KEEP_FAILED = { count: 5000, age: 30 * 24 * 3600 };

/** The sending end. @param redis as of `openQueue` */
export function openNoticeQueue(
  redis: Redis,
  prefix: string,
  onError: (error: Error) => void,
  options: Pick<QueueOptions, 'telemetry'> = {},
): Queue<NoticeTicket> {
  const queue = new Queue<NoticeTicket>(NOTICE_QUEUE, {
    ...options,
    prefix,
    connection: redis,
    defaultJobOptions: { attempts: NOTICE_ATTEMPTS, removeOnComplete: KEEP_DONE, removeOnFail: KEEP_FAILED },
  });
  queue.on('error', onError);
  return queue;
}

/** Queues a ticket; a second time has no effect. @param retryMs pause before the second attempt */
export async function sendNotice(queue: Queue<NoticeTicket>, ticket: NoticeTicket, retryMs: number): Promise<void> {
  const backoff = { type: 'exponential', delay: retryMs, jitter: JITTER };
  await queue.add('notice', ticket, { jobId: noticeId(ticket), backoff });
}

/** Id of a notice, the same at every attempt; receivers get it as `X-Rexdeploy-Delivery`. */
export const noticeId = ({ deploymentId, entry, notifier }: NoticeTicket): string =>
  `${deploymentId}_${entry}_${notifier}`;
