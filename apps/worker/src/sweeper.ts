import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import { NameBusyError } from '@rexdeploy/shared/errors/request-errors';
import { type Drained, readDrained } from '@rexdeploy/shared/journal/ledger';
import { sendTicket, type Ticket } from '@rexdeploy/shared/queue/tickets';
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { WorkerParts } from './processor.js';

/** Who asks, in journals and lists. */
const SWEEPER = 'sweeper';
/** Pauses between attempts for one name begin with `worker.sweep_after`, grow by this, and end at an hour. */
const GROWTH = 4;
const LONGEST_PAUSE_MS = 3600_000;

/**
 * Looks for what is out of rotation by our hand and belongs to no deployment that lives, and queues a job that gives it
 * back. A name that is being deployed is left to that deployment, which gives it back itself.
 */
export async function sweepLedger(parts: WorkerParts, queue: Queue<Ticket>, log: Logger): Promise<void> {
  const { redis, keys } = parts;
  const onBad = (instance: string): void =>
    log.error({ instance }, 'the drain ledger holds an entry that this version cannot read');
  const owed = new Map<string, Drained[]>();
  for (const entry of await readDrained(redis, keys, onBad)) {
    if (!(await isAbandoned(parts, entry))) continue;
    owed.set(entry.name, [...(owed.get(entry.name) ?? []), entry]);
  }
  for (const [name, entries] of owed) {
    if ((await redis.exists(keys.lock(name))) === 0 && (await mayTry(parts, name))) {
      await queueSweep(parts, queue, name, entries, log);
    }
  }
}

async function isAbandoned({ redis, keys, config }: WorkerParts, entry: Drained): Promise<boolean> {
  if (entry.kept !== undefined || Date.now() - Date.parse(entry.since) < config.worker.sweepAfterMs) return false;
  // Of another environment, or no longer configured: GET /drained still shows it.
  if (config.own.names.get(entry.name)?.instances.has(entry.instance) !== true) return false;
  return (await redis.sismember(keys.open, entry.deployment)) === 0;
}

/** One worker tries, and less and less often. */
async function mayTry({ redis, keys, config }: WorkerParts, name: string): Promise<boolean> {
  const tries = Number((await redis.get(keys.sweeps(name))) ?? 0);
  const pause = Math.min(LONGEST_PAUSE_MS, config.worker.sweepAfterMs * GROWTH ** tries);
  if ((await redis.set(keys.sweepPause(name), '1', 'PX', pause, 'NX')) === null) return false;
  await redis.set(keys.sweeps(name), String(tries + 1), 'PX', 2 * pause + 60_000);
  return true;
}

async function queueSweep(
  { redis, keys }: WorkerParts,
  queue: Queue<Ticket>,
  name: string,
  entries: readonly Drained[],
  log: Logger,
): Promise<void> {
  const instances = entries.map(({ instance }) => instance);
  const k = instances.join(' ');
  try {
    const { id } = await acceptDeployment(redis, keys, {
      action: 'sweep',
      k,
      name,
      batches: instances.map((instance) => [instance]),
      source: { kind: 'none' },
      full: '1',
      dryRun: false,
      sprint: false,
      param: { action: 'sweep', k },
      by: SWEEPER,
    });
    log.warn({ name, instances, deploymentId: id }, 'out of rotation and owned by no deployment: giving it back');
    await sendTicket(queue, id);
  } catch (error) {
    if (!(error instanceof NameBusyError)) throw error;
  }
}
