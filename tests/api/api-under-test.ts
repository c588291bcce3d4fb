import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, startApi } from '@rexdeploy/sandbox/controller';
import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { type Envelope, envelopeSchema } from '@rexdeploy/shared/api/envelope-schema';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { dump } from 'js-yaml';
import { request } from 'undici';

/** Settings that a test may lay over those of `configOf`. */
export interface ApiSettings {
  rateLimit?: number;
  maxBytes?: number;
  keep?: number;
  aof?: boolean;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Envelope;
  text: string;
}

export interface Call {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | Buffer | AsyncIterable<Uint8Array>;
  /** The token; `null` sends none, absent the helper's own. */
  token?: string | null;
}

/** The API as a real process with a Redis of its own and no hosts: no test here lets a worker loose. */
export class ApiUnderTest {
  readonly keys = new Keys('rex');
  private constructor(
    readonly dir: string,
    readonly redisServer: RedisServer,
    readonly api: Api,
    readonly redis: Redis,
    readonly tokens: Tokens,
    readonly token: string,
  ) {}

  static async start(settings: ApiSettings = {}): Promise<ApiUnderTest> {
    const dir = await mkdtemp(join(tmpdir(), 'rex-api-'));
    const redisServer = await startRedis({ aof: settings.aof ?? false });
    await writeFile(join(dir, 'config.yml'), dump(configOf(redisServer.url, settings)));
    const api = await startApi({ config: join(dir, 'config.yml'), logFile: join(dir, 'api.log') });
    const redis = new Redis(redisServer.url, { maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    const tokens = new Tokens(redis, new Keys('rex'));
    const token = await tokens.create({ name: 'tests' });
    return new ApiUnderTest(dir, redisServer, api, redis, tokens, token);
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.api.stop();
    await this.redisServer.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Everything the process has written. */
  log(): string {
    return readFileSync(join(this.dir, 'api.log'), 'utf8');
  }

  /** Any request; the answer has to be the documented envelope, whatever its status. */
  async call(path: string, { method = 'GET', headers = {}, body, token = this.token }: Call = {}): Promise<Answer> {
    const answer = await request(`${this.api.url}${path}`, {
      method,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body: body as string }),
      headersTimeout: 60_000,
    });
    const text = await answer.body.text();
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: envelopeSchema.parse(JSON.parse(text)) as Envelope,
      text,
    };
  }

  /** `POST /rex` with a form; `params` is the body as it is sent, or an object to encode. */
  rex(params: string | Record<string, string>, options: Call = {}): Promise<Answer> {
    const body = typeof params === 'string' ? params : new URLSearchParams(params).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...options.headers };
    return this.call('/rex', { method: 'POST', ...options, headers, body });
  }

  /** Names of our keys for deployments, and how many tickets wait. */
  async enqueued(): Promise<{ deployments: string[]; tickets: number }> {
    const deployments = await this.redis.keys('rex:dep:*');
    const tickets =
      (await this.redis.llen('rex:deployments:wait')) + (await this.redis.zcard('rex:deployments:prioritized'));
    return { deployments, tickets };
  }

  /** Files of uploads that are not, or should not be, there. */
  async leftovers(): Promise<string[]> {
    const all = await Promise.all(['incoming', 'tmp'].map((folder) => readdir(join(this.dir, 'data', folder))));
    return all.flat();
  }
}

export function configOf(redisUrl: string, settings: ApiSettings = {}) {
  const instance = (host: string, n: number) => ({
    host,
    program_dir: `/data/www/html${n}`,
    config_dir: `/data/www/config${n}`,
    service: '/etc/init.d/app',
  });
  const ssh = { user: 'deploy', private_key: 'keys/deploy', known_hosts: 'keys/known_hosts' };
  return {
    env: { key: 'prod' },
    timezone: 'Asia/Shanghai',
    data_dir: 'data',
    redis: { url: redisUrl, prefix: 'rex' },
    api: { port: 0, rate_limit: settings.rateLimit ?? 100_000 },
    packages: {
      allow_hosts: ['10.0.0.3', '*.example.com'],
      max_bytes: settings.maxBytes ?? 512 * 1024,
      keep: settings.keep ?? 10,
    },
    environments: {
      prod: {
        desc: '生产环境',
        allow_senv: ['uat', 'empty'],
        ssh,
        names: {
          server: {
            desc: 'the server',
            rollout: ['server1', 'server2'],
            balancer: { type: 'haproxy', host: '192.0.2.9', backend: 'app' },
            instances: { server1: instance('192.0.2.1', 1), server2: instance('192.0.2.2', 2) },
          },
          shop: { instances: { shop1: { host: '192.0.2.3', program_dir: '/data/www/shop' } } },
          bare: { instances: { bare1: { host: '192.0.2.4', program_dir: '/data/www/bare' } } },
        },
      },
      uat: { ssh, names: { server: { instances: { server1: instance('192.0.2.11', 1) } } } },
      staging: { ssh, names: { server: { instances: { server1: instance('192.0.2.21', 1) } } } },
      empty: { ssh, names: {} },
    },
  };
}

/** A multipart body; parts in the given order, a part with `filename` is a file. */
export function multipart(parts: readonly { name: string; value: string | Buffer; filename?: string }[]) {
  const boundary = '----rex-test-boundary';
  const chunks = parts.flatMap(({ name, value, filename }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`}\r\n\r\n`,
    value,
    '\r\n',
  ]);
  const body = Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk)));
  return { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}
