import { Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Tickets only wake a worker: what is to be done stands in the journal, and nothing secret in the queue. */
export const QUEUE = 'deployments';
export const ticketSchema = z.object({ deploymentId: z.string() });
export type Ticket = z.infer<typeof ticketSchema>;

/** Ended tickets kept for dashboards; answers never come from here. */
const KEEP_DONE = { count: 1000, age: 7 * 24 * 3600 };
const KEEP_FAILED = { count: 5000, age: 30 * 24 * 3600 };

/**
 * The sending end of the queue.
 * @param redis a connection that fails fast (`redisOptions('request')`): sending never waits for a Redis that is away,
 *   once it has been there
 */
export function openQueue(
  redis: Redis,
  prefix: string,
  onError: (error: Error) => void,
  options: Pick<QueueOptions, 'telemetry'> = {},
): Queue<Ticket> {
  const queue = new Queue<Ticket>(QUEUE, {
    ...options,
    prefix,
    connection: redis,
    defaultJobOptions: { attempts: 1, removeOnComplete: KEEP_DONE, removeOnFail: KEEP_FAILED },
  });
  queue.on('error', onError);
  return queue;
}

/**
 * Queues the ticket of a deployment; a second time while it waits or runs has no effect.
 * @param ticket its id, which is the deployment's for the first; one that is woken after a hold has another
 */
export async function sendTicket(queue: Queue<Ticket>, deploymentId: string, ticket = deploymentId): Promise<void> {
  await queue.add('deploy', { deploymentId }, { jobId: ticket });
}
