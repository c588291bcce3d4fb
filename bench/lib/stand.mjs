/** The product on real parts: a fleet, Redis with its append-only file, API and worker as processes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startApi, startWorker } from '@rexdeploy/sandbox/controller';
import { startFleet } from '@rexdeploy/sandbox/fleet';
import { deepMerge } from '@rexdeploy/sandbox/merge';
import { startRedis } from '@rexdeploy/sandbox/redis';
import { ReleaseStack } from '@rexdeploy/sandbox/release-stack';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { dump } from 'js-yaml';
import { Client } from './client.mjs';
import { startLine } from './line.mjs';
import { writeQuickService } from './quick-app.mjs';
import { baseFolder } from './work-folder.mjs';

/** The name that Rexdeploy rolls; further names of the fleet belong to those it is compared with. */
export const OURS = 'server';

/**
 * @param {object} options
 * @param {number} options.hosts instances of each name, one on each host
 * @param {number} [options.names] how many names, ours included
 * @param {{ rttMs: number, mbit: number }} [options.line] between the controller and the hosts
 * @param {number} [options.ours] how many of them Rexdeploy rolls, 1
 * @param {object} [options.name] laid over the configuration of these
 * @param {object} [options.config] laid over the whole configuration
 * @param {number} [options.workers]
 */
export async function startStand(options) {
  const releases = new ReleaseStack();
  try {
    return await build(options, releases);
  } catch (error) {
    await releases.close();
    throw error;
  }
}

async function build({ hosts, names = 1, ours = 1, line, name = {}, config: more = {}, workers: count = 1 }, releases) {
  const base = baseFolder();
  const fleet = await startFleet({ instances: hosts, names, firstDeployment: 'nothing', base });
  releases.defer(() => fleet.close());
  const redis = await startRedis({ aof: true, dir: fleet.dir });
  releases.defer(() => redis.close());
  for (const instance of fleet.instances) writeQuickService(instance);
  const way = await startLineFor(fleet, line, releases);
  const configFile = join(fleet.dir, 'config.yml');
  const write = (portOf) =>
    writeFileSync(configFile, dump(deepMerge(configOf(fleet, redis.url, portOf, { ours, name }), more)));
  write(way.portOf);
  const start = { config: configFile, env: { ...fleet.env, NODE_ENV: 'production' } };
  const api = await startApi({ ...start, logFile: join(fleet.dir, 'api.log') });
  releases.defer(() => api.stop());
  const workers = [];
  const addWorkers = async () => {
    const started = await Promise.all(
      Array.from({ length: count }, (_, at) => startWorker({ ...start, logFile: join(fleet.dir, `worker${at}.log`) })),
    );
    workers.push(...started);
  };
  releases.defer(() => Promise.all(workers.map((worker) => worker.stop())));
  await addWorkers();
  const connection = new Redis(redis.url);
  releases.defer(() => connection.disconnect());
  const token = await new Tokens(connection, new Keys('rex')).create({ name: 'bench' });
  const client = new Client(api.url, token);
  releases.defer(() => client.close());
  const stand = { fleet, redis, connection, api, workers, client, token, configFile, ...way };

  /** The same stand, reached over a line that counts its bytes; the workers are started anew for it. */
  const counted = async () => {
    if (way.line !== undefined) return stand;
    const counting = await startLineFor(fleet, { rttMs: 0, mbit: 0 }, releases);
    write(counting.portOf);
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await addWorkers();
    return { ...stand, ...counting };
  };
  return { ...stand, counted, close: () => releases.close() };
}

async function startLineFor(fleet, facts, releases) {
  if (facts === undefined) return { line: undefined, portOf: (host) => host.sshPort };
  const line = await startLine(fleet, facts, releases);
  return { line, portOf: line.portOf };
}

function configOf(fleet, redisUrl, portOf, { ours, name }) {
  const config = fleet.config();
  config.redis.url = redisUrl;
  config.api.rate_limit = 1_000_000;
  config.packages.max_bytes = '16GiB';
  const { names } = config.environments.prod;
  const rolled = fleet.names.slice(0, ours).map((each) => each.name);
  for (const [key, own] of Object.entries(names)) {
    if (!rolled.includes(key)) {
      delete names[key];
      delete config.environments.uat.names[key];
      continue;
    }
    if (fleet.lb !== undefined) own.balancer.ssh = { port: portOf(fleet.lb) };
    for (const [instanceKey, instance] of Object.entries(own.instances)) {
      instance.ssh = { port: portOf(fleet.hostOf(instanceKey)) };
      // The product's own pauses, not the sandbox's.
      if (instance.health !== undefined) delete instance.health.interval;
    }
    // Nobody removes former releases while it is measured; what is removed between runs is the bench's.
    names[key] = deepMerge({ ...own, keep_releases: 50 }, name);
  }
  return config;
}
