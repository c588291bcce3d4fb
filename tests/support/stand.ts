import { type Api, startApi, startWorker, type Worker } from '@rexdeploy/sandbox/controller';
import { type Fleet, type FleetOptions, startFleet } from '@rexdeploy/sandbox/fleet';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { SMALL_PROGRAM } from '@rexdeploy/sandbox/program';
import { type RedisOptions, type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { afterAll, test as base, beforeAll } from 'vitest';
import { Client } from './client.js';

export interface StandOptions {
  fleet?: FleetOptions;
  /** Laid over the fleet's config.yml. */
  config?: JsonObject | ((fleet: Fleet) => JsonObject);
  workers?: number;
  redis?: RedisOptions;
  /** Further variables of API and workers. */
  env?: Readonly<Record<string, string>>;
}

/** The whole product on real parts: Redis, API, workers, and a fleet to deploy to. */
export interface Stand {
  fleet: Fleet;
  redis: RedisServer;
  api: Api;
  workers: Worker[];
  client: Client;
  /** Of `client`. */
  token: string;
  configFile: string;
  /** Starts one more worker. */
  addWorker(): Promise<Worker>;
  /** A client with a token of its own, such as `{ name: 'boss', role: 'admin' }`. */
  clientFor(spec: TokenSpec): Promise<Client>;
}

type TokenSpec = Parameters<Tokens['create']>[0];

/** `test` with a `start` that brings up a stand and takes all of it away after the test. */
export const test = base.extend<{ start: (options?: StandOptions) => Promise<Stand> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures a fixture needs from this pattern
  start: async ({}, use) => {
    const releases: (() => Promise<unknown>)[] = [];
    try {
      await use((options) => startStand(options ?? {}, releases));
    } finally {
      for (const release of releases.reverse()) await release();
    }
  },
});

/**
 * One stand for all tests of a file, one after another: starting it costs more than most of them. Each leaves it sound.
 * @returns gives it, inside of tests
 */
export function standForAll(options: StandOptions = {}): () => Stand {
  const releases: (() => Promise<unknown>)[] = [];
  let stand: Stand | undefined;
  beforeAll(async () => {
    stand = await startStand(options, releases);
  });
  afterAll(async () => {
    for (const release of releases.reverse()) await release();
  });
  return () => {
    if (stand === undefined) throw new Error('the stand is there inside of tests');
    return stand;
  };
}

/** As `rex token create` does, without a process for it. */
async function makeToken(redisUrl: string, spec: TokenSpec): Promise<string> {
  const redis = new Redis(redisUrl);
  try {
    return await new Tokens(redis, new Keys('rex')).create(spec);
  } finally {
    redis.disconnect();
  }
}

/** Brings a stand up for all tests of a file. @param releases takes in what is to be called at the end, the last first */
export async function startStand(options: StandOptions, releases: (() => Promise<unknown>)[]): Promise<Stand> {
  const redis = await startRedis(options.redis);
  releases.push(() => redis.close());
  const fleet = await startFleet({ redisUrl: redis.url, program: SMALL_PROGRAM, ...options.fleet });
  releases.push(() => fleet.close());
  const configFile = fleet.writeConfig(typeof options.config === 'function' ? options.config(fleet) : options.config);
  const env = { ...fleet.env, ...options.env };
  const workers: Worker[] = [];
  const addWorker = async (): Promise<Worker> => {
    const worker = await startWorker({ config: configFile, env });
    releases.push(() => worker.stop());
    workers.push(worker);
    return worker;
  };
  const addApi = async (): Promise<Api> => {
    const api = await startApi({ config: configFile, env });
    releases.push(() => api.stop());
    return api;
  };
  const [api] = await Promise.all([addApi(), ...Array.from({ length: options.workers ?? 1 }, addWorker)]);
  const clientFor = async (spec: TokenSpec): Promise<Client> => new Client(api.url, await makeToken(redis.url, spec));
  const token = await makeToken(redis.url, { name: 'tests' });
  const client = new Client(api.url, token);
  return { fleet, redis, api, workers, client, token, configFile, addWorker, clientFor };
}
