import { noteNotice, wasNotified } from '@rexdeploy/shared/deployments/notes';
import { NotifyError } from '@rexdeploy/shared/errors/notify-error';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { readJournal } from '@rexdeploy/shared/journal/journal';
import { fieldOf, stored } from '@rexdeploy/shared/metrics/stored';
import { NOTICE_ATTEMPTS, noticeId, noticeTicketSchema } from '@rexdeploy/shared/queue/notices';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { Logger } from 'pino';
import type { WorkerParts } from '../processor.js';
import { createNotifier } from './create.js';
import { noticeOf } from './notice.js';
import { messageOf } from './texts/texts.js';

/**
 * Takes one ticket of a notice: reads who and what it is about, and tells it. What becomes of it is journaled, and
 * changes nothing for the deployment.
 * @param leaving aborted when this process has to end: the ticket goes back, and no attempt is counted
 * @returns a word for dashboards of the queue
 * @throws NotifyError when it is worth another attempt; UnrecoverableError when it is given up
 */
export async function deliver(
  { config, redis, keys }: Pick<WorkerParts, 'config' | 'redis' | 'keys'>,
  { job, token, signal }: { job: Job; token: string | undefined; signal: AbortSignal },
  leaving: AbortSignal,
  log: Logger,
): Promise<string> {
  const ticket = noticeTicketSchema.parse(job.data);
  const { deploymentId, entry, notifier: name } = ticket;
  // A worker that died after the receiver had taken it, and before the queue knew, is not repeated.
  if (await wasNotified(redis, keys, deploymentId, ticket)) return 'told before';
  const notifier = config.notify.find((each) => each.name === name);
  if (notifier === undefined) {
    log.warn({ ...ticket }, 'the notifier is no longer in the configuration');
    return 'no such notifier';
  }
  const notice = noticeOf(await readJournal(redis, keys, deploymentId), entry, config);
  if (notice === undefined) return 'forgotten';
  const attempts = job.attemptsMade + 1;
  const about = { notifier: name, notice: notice.type, entry, attempts };
  try {
    const message = messageOf(notice, notifier.lang, config.timezone);
    const ends = AbortSignal.any([signal, leaving]);
    await createNotifier(notifier).send({ id: noticeId(ticket), notice, message }, ends);
  } catch (thrown) {
    signal.throwIfAborted();
    if (leaving.aborted) {
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
    const error = toRexError(thrown);
    if (error instanceof NotifyError && error.retryable && attempts < (job.opts.attempts ?? NOTICE_ATTEMPTS)) {
      log.warn({ ...about, deploymentId, reason: error.message }, 'a notice was not taken; it is sent again');
      await redis.hincrby(keys.metrics, fieldOf(stored.notifications.name, [name, 'retried']), 1);
      throw error;
    }
    log.error({ ...about, deploymentId, reason: error.message }, 'a notice was not taken and is given up');
    await noteNotice(redis, keys, deploymentId, { type: 'notify-failed', ...about, error: error.toRecord() });
    throw new UnrecoverableError(error.message);
  }
  await noteNotice(redis, keys, deploymentId, { type: 'notified', ...about });
  return 'told';
}
