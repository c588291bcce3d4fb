/** The API as a process with a Redis of its own and many names, and no worker: what is accepted stays accepted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startApi } from '@rexdeploy/sandbox/controller';
import { startRedis } from '@rexdeploy/sandbox/redis';
import { ReleaseStack } from '@rexdeploy/sandbox/release-stack';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { dump } from 'js-yaml';
import { Client } from '../lib/client.mjs';
import { workFolder } from '../lib/work-folder.mjs';

export async function startApiAlone(nameCount) {
  const releases = new ReleaseStack();
  try {
    const { dir, close } = workFolder();
    releases.defer(close);
    const redis = await startRedis({ aof: true, dir });
    releases.defer(() => redis.close());
    const config = join(dir, 'config.yml');
    mkdirSync(join(dir, 'data'));
    writeFileSync(config, dump(configOf(redis.url, nameCount)));
    const api = await startApi({ config, env: { NODE_ENV: 'production' }, logFile: join(dir, 'api.log') });
    releases.defer(() => api.stop());
    const connection = new Redis(redis.url);
    releases.defer(() => connection.disconnect());
    const keys = new Keys('rex');
    const token = await new Tokens(connection, keys).create({ name: 'bench' });
    const client = new Client(api.url, token);
    releases.defer(() => client.close());
    return { dir, redis, connection, keys, api, token, client, close: () => releases.close() };
  } catch (error) {
    await releases.close();
    throw error;
  }
}

/** `server` with two instances, for the journal that is read, and `n1`, `n2`, … with one each. */
function configOf(redisUrl, count) {
  const ssh = { user: 'deploy', private_key: 'keys/deploy', known_hosts: 'keys/known_hosts' };
  const at = (name, index) => ({ host: `192.0.2.${index}`, program_dir: `/data/www/${name}-${index}` });
  const one = (name, address) => ({ instances: { [`${name}-1`]: { ...at(name, 1), host: address } } });
  const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
  const server = { instances: { server1: at('server', 1), server2: at('server', 2) } };
  const all = (address) => Object.fromEntries(names.map((name) => [name, one(name, address)]));
  return {
    env: { key: 'prod' },
    data_dir: 'data',
    redis: { url: redisUrl, prefix: 'rex' },
    api: { port: 0, rate_limit: 1_000_000 },
    environments: {
      prod: { allow_senv: ['uat'], ssh, names: { server, ...all('192.0.2.3') } },
      uat: { ssh, names: { server: one('server', '192.0.2.4'), ...all('192.0.2.5') } },
    },
  };
}
