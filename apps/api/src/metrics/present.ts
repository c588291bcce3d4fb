import { readDrained } from '@rexdeploy/shared/journal/ledger';
import { workerFigures } from '@rexdeploy/shared/metrics/worker-figures';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { Gauge, type Registry } from 'prom-client';
import type { ApiParts } from '../parts.js';

/** How things stand at the moment of the question, from Redis. */

/** A worker that gave no sign of life for this long is gone, as of `/readyz`. */
const WORKER_SILENCE_MS = 30_000;
const QUEUE_STATES = ['waiting', 'active', 'delayed', 'failed', 'completed'] as const;
const OPEN_STATES = ['queued', 'running', 'held'] as const;

type Parts = Pick<ApiParts, 'config' | 'redis' | 'keys' | 'queue' | 'notices'>;

/** @throws Error when Redis does not answer */
export async function addPresent(registry: Registry, parts: Parts): Promise<void> {
  const nowMs = Date.now();
  await Promise.all([
    addDrained(registry, parts, nowMs),
    addOpen(registry, parts),
    addWorkers(registry, parts, nowMs),
    addQueues(registry, parts, nowMs),
  ]);
}

const gauge = <T extends string>(registry: Registry, name: string, help: string, labelNames: T[]): Gauge<T> =>
  new Gauge({ name: `rexdeploy_${name}`, help, labelNames, registers: [registry] });

async function addDrained(registry: Registry, { config, redis, keys }: Parts, nowMs: number): Promise<void> {
  const out = gauge(registry, 'instances_drained', 'Instances out of rotation by our hand, now.', ['name', 'kept']);
  const oldest = gauge(
    registry,
    'instances_drained_oldest_seconds',
    'For how long the first of these has been out of rotation; kept="true": left out on purpose.',
    ['name', 'kept'],
  );
  let unreadable = 0;
  const entries = await readDrained(redis, keys, () => {
    unreadable += 1;
  });
  gauge(registry, 'ledger_unreadable_entries', 'Entries of the drain ledger that this version cannot read.', []).set(
    unreadable,
  );
  for (const name of config.own.names.keys()) {
    for (const kept of ['false', 'true']) {
      out.set({ name, kept }, 0);
      oldest.set({ name, kept }, 0);
    }
  }
  const ages = new Map<string, number>();
  for (const { name, kept: why, since } of entries) {
    const kept = String(why !== undefined);
    const age = Math.max(0, nowMs - Date.parse(since), ages.get(`${name} ${kept}`) ?? 0);
    ages.set(`${name} ${kept}`, age);
    out.inc({ name, kept });
    oldest.set({ name, kept }, age / 1000);
  }
}

async function addOpen(registry: Registry, { redis, keys }: Parts): Promise<void> {
  const open = gauge(
    registry,
    'deployments_open',
    'Deployments that have not ended, by state; held ones wait for people.',
    ['state'],
  );
  for (const state of OPEN_STATES) open.set({ state }, 0);
  const ids = await redis.smembers(keys.open);
  for (const state of await Promise.all(ids.map((id) => redis.hget(keys.record(id), 'state')))) {
    // One that ends at this very moment is no longer open.
    if (OPEN_STATES.some((each) => each === state)) open.inc({ state: state ?? '' });
  }
}

async function addWorkers(registry: Registry, { redis, keys }: Parts, nowMs: number): Promise<void> {
  const alive = gauge(registry, 'workers_alive', 'Workers that gave a sign of life in the last 30 seconds.', []);
  const seen = gauge(
    registry,
    'worker_last_seen_seconds',
    'Since when a worker gave no sign of life; one is forgotten after an hour, or at once when it was stopped.',
    ['worker'],
  );
  const lag = gauge(
    registry,
    'worker_event_loop_lag_seconds',
    'How late timers of a worker were in the worst hundredth of the last seconds.',
    ['worker'],
  );
  const rows = await redis.zrange(keys.workers, 0, '-1', 'WITHSCORES');
  let living = 0;
  for (let at = 0; at < rows.length; at += 2) {
    const [worker = '', atMs = '0'] = rows.slice(at, at + 2);
    const silentMs = Math.max(0, nowMs - Number(atMs));
    if (silentMs < WORKER_SILENCE_MS) living += 1;
    seen.set({ worker }, silentMs / 1000);
    const figures = await redis.get(keys.worker(worker));
    if (figures !== null) lag.set({ worker }, workerFigures.parse(JSON.parse(figures)).loopLagSeconds);
  }
  alive.set(living);
}

async function addQueues(registry: Registry, { queue, notices }: Parts, nowMs: number): Promise<void> {
  const jobs = gauge(registry, 'queue_jobs', 'Tickets in the queues of deployments and of notices, by state.', [
    'queue',
    'state',
  ]);
  const oldest = gauge(
    registry,
    'queue_oldest_waiting_seconds',
    'Age of the oldest ticket that waits for a worker; 0 when none does.',
    ['queue'],
  );
  const add = async (each: Pick<Queue, 'name' | 'getJobCounts' | 'getWaiting'>): Promise<void> => {
    const counts = await each.getJobCounts(...QUEUE_STATES);
    for (const state of QUEUE_STATES) jobs.set({ queue: each.name, state }, counts[state] ?? 0);
    const [first] = await each.getWaiting(0, 0);
    oldest.set({ queue: each.name }, first === undefined ? 0 : Math.max(0, nowMs - first.timestamp) / 1000);
  };
  await Promise.all([add(queue), add(notices)]);
}

/** For whoever has to know that the rest is missing. */
export function addRedisUp(registry: Registry, up: boolean): void {
  gauge(registry, 'redis_up', '1 when Redis answers; else only what this process knows by itself is told.', []).set(
    up ? 1 : 0,
  );
}

/** Reads the hash of figures. */
export const readFigures = ({
  redis,
  keys,
}: {
  redis: Redis;
  keys: ApiParts['keys'];
}): Promise<Record<string, string>> => redis.hgetall(keys.metrics);
