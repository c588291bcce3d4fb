import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorker, type Worker } from '@rexdeploy/sandbox/controller';
import { startRedis } from '@rexdeploy/sandbox/redis';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import { claim, type Journal, readJournal } from '@rexdeploy/shared/journal/journal';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Redis } from 'ioredis';
import { dump } from 'js-yaml';
import { configOf } from '../api/api-under-test.js';

/** Workers without hosts: the test itself takes the deployments and writes their journals, as a worker does. */
export interface LoneWorkers {
  redis: Redis;
  keys: Keys;
  start(): Promise<Worker>;
  /** Accepts a deployment; nobody sends its ticket. @returns its id */
  accept(request?: Partial<DeployRequest>): Promise<string>;
  /** Accepts one and takes it. */
  take(request?: Partial<DeployRequest>): Promise<Journal>;
  events(id: string): Promise<JournalEvent[]>;
  close(): Promise<void>;
}

const REQUEST: DeployRequest = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1'], ['server2']],
  source: { kind: 'senv', environment: 'uat' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: {},
  by: 'tests',
};

/** @param config laid over that of `configOf` */
export async function loneWorkers(config: Record<string, unknown>): Promise<LoneWorkers> {
  const dir = await mkdtemp(join(tmpdir(), 'rex-lone-'));
  const server = await startRedis({ aof: false });
  const file = join(dir, 'config.yml');
  await writeFile(file, dump({ ...configOf(server.url), ...config }));
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const keys = new Keys('rex');
  const workers: Worker[] = [];
  const accept = async (request: Partial<DeployRequest> = {}): Promise<string> =>
    (await acceptDeployment(redis, keys, { ...REQUEST, ...request })).id;
  return {
    redis,
    keys,
    start: async () => {
      const worker = await startWorker({ config: file });
      workers.push(worker);
      return worker;
    },
    accept,
    take: async (request) => {
      const id = await accept(request);
      const journal = await claim(redis, keys, id, 'the-test');
      if (journal === undefined) throw new Error(`${id} could not be taken`);
      return journal;
    },
    events: async (id) => (await readJournal(redis, keys, id)).map(({ event }) => event),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.kill9()));
      redis.disconnect();
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
