import { HandBack } from '@rexdeploy/shared/errors/control-flow';
import { jobView } from '@rexdeploy/shared/journal/envelope';
import { count, stored } from '@rexdeploy/shared/metrics/stored';
import type { Ticket } from '@rexdeploy/shared/queue/tickets';
import { openQueue, QUEUE, sendTicket, ticketSchema } from '@rexdeploy/shared/queue/tickets';
import { redisOptions } from '@rexdeploy/shared/redis/connection';
import type { Telemetry } from '@rexdeploy/shared/telemetry/start';
import { IdleConnections } from '@rexdeploy/ssh/idle-connections';
import { DelayedError, type Job, Worker } from 'bullmq';
import type { Logger } from 'pino';
import { Meters } from './meters.js';
import { startNotices } from './notify/notices.js';
import { processDeployment, type WorkerParts } from './processor.js';
import { Reconciler } from './reconciler.js';

/** Times that BullMQ may give a deployment to another worker after one died; every run begins by folding the journal. */
const MAX_TAKEOVERS = 100;

/** A running worker process. */
export interface RunningWorker {
  /** Takes nothing new, ends or hands back what it has, then closes. */
  close(): Promise<void>;
}

/**
 * Starts taking deployments.
 * @param redisUrl where the queue is
 * @param telemetry where spans go
 */
export async function startWorker(
  parts: Omit<WorkerParts, 'leaving' | 'othersAlive' | 'wake' | 'tell' | 'meters' | 'idle'>,
  redisUrl: string,
  log: Logger,
  telemetry: Pick<Telemetry, 'queues'>,
): Promise<RunningWorker> {
  const leaving = new AbortController();
  let othersAlive = false;
  const { config } = parts;
  const onQueueError = (error: Error): void => log.warn({ err: error }, 'queue');
  const queue = openQueue(parts.redis, config.redis.prefix, onQueueError, telemetry.queues);
  const wake = async (deploymentId: string): Promise<void> => {
    const late = (error: unknown): void => log.warn({ err: error, deploymentId }, 'a ticket could not be queued yet');
    await sendTicket(queue, deploymentId).catch(late);
  };
  const meters = new Meters();
  const idle = new IdleConnections();
  const notices = await startNotices(parts, redisUrl, log);
  const shared: WorkerParts = {
    ...parts,
    leaving: leaving.signal,
    othersAlive: () => othersAlive,
    wake,
    tell: () => notices.tell(),
    meters,
    idle,
  };

  const worker = new Worker<Ticket>(
    QUEUE,
    // All three parameters must be declared, or the signal is not given (BullMQ looks at the function's length).
    (job, token, signal) => take(shared, job, token, signal, log),
    {
      ...telemetry.queues,
      prefix: config.redis.prefix,
      connection: { url: redisUrl, ...redisOptions('blocking') },
      concurrency: config.worker.concurrency,
      lockDuration: config.worker.lockMs,
      stalledInterval: config.worker.stalledCheckMs,
      maxStalledCount: MAX_TAKEOVERS,
      name: parts.id,
    },
  );
  worker.on('error', (error) => log.warn({ err: error }, 'worker connection'));
  // Redis failed, or its journal cannot be read. The reconciler queues it again: the journal knows where to go on.
  worker.on('failed', (job, error) => {
    log.error(
      { err: error, deploymentId: job?.data.deploymentId },
      'a deployment could not be gone on with; it is tried again',
    );
  });
  worker.on('lockRenewalFailed', (ids) => {
    log.error({ ids }, 'lost hold of deployments: another worker takes them');
    meters.add(count(stored.renewalsFailed, [], ids.length));
    for (const id of ids) worker.cancelJob(id, 'the hold on the ticket was lost');
  });
  const reconciler = new Reconciler(shared, queue, log);
  await worker.waitUntilReady();
  await reconciler.start();

  return {
    close: async () => {
      // Without Redis nobody can be handed anything.
      othersAlive = await reconciler.leave().catch(() => false);
      leaving.abort(new HandBack('this worker is stopping'));
      await reconciler.stop();
      await worker.close();
      await idle.close();
      await notices.close();
      await queue.close();
      meters.close();
    },
  };
}

async function take(
  parts: WorkerParts,
  job: Job<Ticket>,
  token: string | undefined,
  signal: AbortSignal | undefined,
  log: Logger,
): Promise<void> {
  const { deploymentId } = ticketSchema.parse(job.data);
  const outcome = await processDeployment(parts, deploymentId, signal ?? new AbortController().signal, (state) => {
    // For dashboards of the queue only; nothing of ours reads it.
    job.updateProgress({ ...jobView(state).progress }).catch((error: unknown) => log.debug({ err: error }, 'progress'));
  });
  log.info({ deploymentId, outcome }, 'deployment left');
  if (outcome !== 'handed-back') return;
  await job.moveToDelayed(Date.now(), token);
  throw new DelayedError();
}
