import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { openNoticeQueue } from '@rexdeploy/shared/queue/notices';
import { openQueue } from '@rexdeploy/shared/queue/tickets';
import { redisOptions } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { makeToken } from '@rexdeploy/shared/tokens';
import type { FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployments } from './deployments.js';
import type { ApiParts } from './parts.js';
import { makeQueueBoard } from './queue-board.js';

const PREFIX = '/admin/queues';
const CONFIG = `
env: { key: prod }
environments:
  prod:
    ssh: { private_key: key }
    names: { server: { instances: { server1: { host: h, program_dir: /srv/app } } } }
`;

let server: RedisServer;
let redis: Redis;
let queues: Pick<ApiParts, 'queue' | 'notices'>;
let board: FastifyInstance;
let stopping = false;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, redisOptions('request'));
  await new Promise((resolve) => redis.once('ready', resolve));
  const fail = (error: Error): void => {
    throw error;
  };
  queues = { queue: openQueue(redis, 'rex', fail), notices: openNoticeQueue(redis, 'rex', fail) };
  const config = parseConfig(CONFIG, '/etc/rex/config.yml', {});
  const parts = { config, deployments: new Deployments(redis, new Keys('rex')), ...queues };
  board = await makeQueueBoard(parts, PREFIX, () => stopping);
});
afterAll(async () => {
  await board.close();
  for (const queue of [queues.queue, queues.notices]) await queue.close();
  redis.disconnect();
  await server.close();
});

test('no answer of it shows a token or a secret of an address, whatever a queue holds', async () => {
  const token = makeToken(Date.now());
  const data = JSON.stringify({ token, url: 'https://example.com/a.tgz?sig=hush&x=1' });
  await redis.hset('rex:deployments:1', { name: 'deploy', data, opts: '{}', timestamp: 1 });
  await redis.lpush('rex:deployments:wait', '1');
  const { payload } = await board.inject(`${PREFIX}/api/queues?activeQueue=deployments&status=waiting`);
  const shown = JSON.parse(payload).queues[0].jobs[0].data;
  expect(shown).toEqual({
    token: `${token.slice(0, 10)}…${token.slice(-4)}`,
    url: 'https://example.com/a.tgz?sig=…&x=1',
  });
});

test('its answers close their connections while the process stops, and none before', async () => {
  for (const path of ['', '/api/queues', '/none']) {
    stopping = false;
    expect((await board.inject(PREFIX + path)).headers.connection).toBe('keep-alive');
    stopping = true;
    expect((await board.inject(PREFIX + path)).headers.connection).toBe('close');
  }
});
