/** Many names at once: instances a second by the number of workers, and what deployments leave in Redis. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startApi } from '@rexdeploy/sandbox/controller';
import { startChild } from '@rexdeploy/sandbox/process';
import { startRedis } from '@rexdeploy/sandbox/redis';
import { ReleaseStack } from '@rexdeploy/sandbox/release-stack';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { dump } from 'js-yaml';
import { archiveStream } from '../lib/archive.mjs';
import { Client } from '../lib/client.mjs';
import { cpuOf } from '../lib/processes.mjs';
import { digits } from '../lib/stats.mjs';
import { table } from '../lib/table.mjs';
import { workFolder } from '../lib/work-folder.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const TEMPLATE = 'template';
/** Its answers are given by all. */
const NOTED_HOST = '10.250.0.1';
const WORKERS = [1, 2, 4];
/** Of names that one worker deploys at the same time; it mostly waits for Redis. */
const CONCURRENCY = 16;
const WAVES = 2;
const AT_ONCE = 16;

export const options = { names: 'number', instances: 'number', workers: 'text', 'limit-seconds': 'number' };

export async function run(given, { quick, say }) {
  const names = given.names ?? (quick ? 10 : 1000);
  const instances = given.instances ?? 10;
  const limitMs = (given['limit-seconds'] ?? 600) * 1000;
  const stand = await startSimulation(names, instances);
  try {
    say('noting the answers of one real deployment');
    const answers = await noteAnswers(stand);
    const packages = await uploadAll(stand);
    const waves = [];
    const counts = given.workers?.split(',').map(Number) ?? WORKERS;
    const again = given.workers === undefined ? WAVES - 1 : 0;
    const plan = [...counts, ...Array.from({ length: again }, () => counts.at(-1))];
    for (const [at, workers] of plan.entries()) {
      const wave = await rollWave(stand, { workers, answers, packages, instances, limitMs });
      waves.push({ wave: at + 1, ...wave });
      say(`  ${workers} workers: ${digits(wave.perSecond)} instances/s`);
    }
    return { text: textOf(waves, names, instances), waves };
  } finally {
    await stand.close();
  }
}

async function startSimulation(nameCount, instanceCount) {
  const releases = new ReleaseStack();
  try {
    const { dir, close } = workFolder();
    releases.defer(close);
    const redis = await startRedis({ aof: true, dir });
    releases.defer(() => redis.close());
    const names = Array.from({ length: nameCount }, (_, at) => `n${at + 1}`);
    const config = join(dir, 'config.yml');
    for (const folder of ['host', 'other']) mkdirSync(join(dir, folder));
    writeFileSync(config, dump(configOf(dir, redis.url, names, instanceCount)));
    const api = await startApi({ config, env: { NODE_ENV: 'production' }, logFile: join(dir, 'api.log') });
    releases.defer(() => api.stop());
    const connection = new Redis(redis.url);
    releases.defer(() => connection.disconnect());
    const keys = new Keys('rex');
    const token = await new Tokens(connection, keys).create({ name: 'bench' });
    const client = new Client(api.url, token);
    releases.defer(() => client.close());
    return { dir, config, redis, connection, keys, api, client, names, close: () => releases.close() };
  } catch (error) {
    await releases.close();
    throw error;
  }
}

/** All instances lie in the same directory, each on a host of its own: what one host answers fits all. */
function configOf(dir, redisUrl, names, instanceCount) {
  const directory = join(dir, 'host/app');
  const nameOf = (k, block) => ({
    instances: Object.fromEntries(
      Array.from({ length: instanceCount }, (_, at) => [
        `${k}-${at + 1}`,
        { host: `10.${Math.floor(block / 250)}.${block % 250}.${at + 1}`, program_dir: directory },
      ]),
    ),
    balancer: { type: 'none' },
  });
  // A second one, elsewhere, because a name of one instance is treated more simply.
  const template = {
    [`${TEMPLATE}-1`]: { host: NOTED_HOST, program_dir: directory },
    [`${TEMPLATE}-2`]: { host: '10.250.0.2', program_dir: join(dir, 'other/app') },
  };
  return {
    env: { key: 'prod' },
    data_dir: 'data',
    redis: { url: redisUrl, prefix: 'rex' },
    api: { port: 0, rate_limit: 1_000_000 },
    worker: { concurrency: CONCURRENCY },
    environments: {
      prod: {
        ssh: { user: 'deploy', private_key: 'keys/deploy', known_hosts: 'keys/known_hosts' },
        names: {
          [TEMPLATE]: { instances: template, balancer: { type: 'none' } },
          ...Object.fromEntries(names.map((k, at) => [k, nameOf(k, at)])),
        },
      },
    },
  };
}

const startWorker = ({ config, dir }, mode, file) =>
  startChild({
    name: 'simulated worker',
    command: process.execPath,
    args: [WORKER, mode, file, NOTED_HOST],
    env: { ...process.env, REX_CONFIG: config },
    logFile: join(dir, 'worker.log'),
    ready: { line: /worker ready/ },
    readyTimeoutMs: 60_000,
  });

/** Brings one version over another, for real. @returns the file that all answers of the second one stand in */
async function noteAnswers(stand) {
  const file = join(stand.dir, 'answers');
  const worker = await startWorker(stand, 'record', file);
  try {
    for (const version of ['v1', 'v2']) {
      rmSync(file, { force: true });
      const id = await stand.client.upload(TEMPLATE, 'program.tar', programOf(version));
      const request = { action: 'deploy', k: TEMPLATE, package: id, full: '2', wait: '60' };
      const { body } = await stand.client.rex(request);
      if (body.job?.state !== 'succeeded') throw new Error(`the template ended as ${body.job?.state}: ${body.msg}`);
    }
  } finally {
    await worker.stop();
  }
  return file;
}

const programOf = (version) => archiveStream({ files: 20, sizeBytes: 200_000, version });

async function uploadAll({ client, names }) {
  const bytes = await buffer(programOf('v2'));
  const ids = new Map();
  await each(names, async (k) => {
    ids.set(k, await client.upload(k, 'program.tar', [bytes]));
  });
  return ids;
}

/** All names at once, from the first request to the end of the last job. */
async function rollWave(stand, { workers: count, answers, packages, instances, limitMs }) {
  const { client, connection, keys, names, redis } = stand;
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(stand, 'replay', answers)));
  try {
    const memoryBefore = await usedMemory(connection);
    const cpuBefore = [cpuOf(redis.pid), ...workers.map(({ pid }) => cpuOf(pid))];
    const begun = performance.now();
    const ids = [];
    await each(names, async (k) => {
      const { status, body } = await client.rex({ action: 'deploy', k, package: packages.get(k), full: '2' });
      if (status !== 202) throw new Error(`${k} was answered with ${status} ${body.msg}`);
      ids.push(body.job.id);
    });
    while ((await connection.scard(keys.open)) > 0) {
      if (performance.now() - begun > limitMs) throw new Error(`not ended after ${limitMs / 1000} s`);
      await pause(50);
    }
    const seconds = (performance.now() - begun) / 1000;
    const cpu = [cpuOf(redis.pid), ...workers.map(({ pid }) => cpuOf(pid))].map((now, at) => now - cpuBefore[at]);
    await each(ids, (id) => mustHaveSucceeded(client, id, instances));
    return {
      workers: count,
      seconds,
      perSecond: (names.length * instances) / seconds,
      kibPerDeployment: ((await usedMemory(connection)) - memoryBefore) / names.length / 1024,
      memoryMiB: (await usedMemory(connection)) / 1024 ** 2,
      redisCpu: cpu[0],
      workerCpu: cpu.slice(1).reduce((sum, value) => sum + value, 0),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function mustHaveSucceeded(client, id, instances) {
  const { body } = await client.get(`/jobs/${id}`);
  const { state, progress } = body.job;
  if (state === 'succeeded' && Number(progress.done) === instances) return;
  throw new Error(`${id} ended as ${state} with ${progress.done} of ${instances} instances: ${body.respon?.stderr}`);
}

async function usedMemory(connection) {
  return Number(/^used_memory:(\d+)/m.exec(await connection.info('memory'))?.[1]);
}

async function each(list, work) {
  const left = [...list];
  const one = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

function textOf(waves, names, instances) {
  const [first] = waves;
  const head = [
    '',
    'workers',
    'instances/s',
    '÷ one worker',
    'worker CPU ms per instance',
    'Redis CPU s',
    'KiB in Redis per deployment',
    'Redis MiB after',
  ];
  const total = names * instances;
  const rows = waves.map(({ wave, workers, perSecond, workerCpu, redisCpu, kibPerDeployment, memoryMiB }) => [
    `wave ${wave}`,
    String(workers),
    digits(perSecond),
    (perSecond / first.perSecond).toFixed(2),
    digits((workerCpu * 1000) / total),
    digits(redisCpu),
    digits(kibPerDeployment),
    digits(memoryMiB),
  ]);
  return `${names} names × ${instances} instances on simulated hosts; each wave deploys all names once more\n\n${table(head, rows)}`;
}
