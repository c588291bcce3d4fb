import { readFileSync } from 'node:fs';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** What stands in docker-compose.yml, Dockerfile and package.json must fit together. */

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

const service = z.looseObject({
  command: z.array(z.string()),
  image: z.string(),
  build: z.string().optional(),
  restart: z.string(),
  container_name: z.string().optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  stop_grace_period: z.string().optional(),
});
const compose = z
  .looseObject({
    services: z.object({ redis: service, api: service, worker: service }),
    volumes: z.record(z.string(), z.unknown()),
  })
  // Compose reads YAML 1.1, whose merge keys (<<) later versions no longer know.
  .parse(load(read('docker-compose.yml'), { schema: YAML11_SCHEMA }));
const { redis, api, worker } = compose.services;

const setting = (name: string): string | undefined => redis.command[redis.command.indexOf(`--${name}`) + 1];

test('Redis evicts nothing and writes everything to its append-only file, on a volume', () => {
  expect(setting('maxmemory-policy')).toBe('noeviction');
  expect(setting('appendonly')).toBe('yes');
  expect(redis.volumes).toContain('redis:/data');
  expect(compose.volumes).toHaveProperty('redis');
  expect(redis.healthcheck?.test).toContain('ping');
  expect(redis.ports).toBeUndefined();
});

test('API and workers share one data volume, the config and the keys, which they cannot write', () => {
  for (const { volumes, environment } of [api, worker]) {
    expect(volumes).toEqual(['data:/data', './config.yml:/app/config.yml:ro', './keys:/app/keys:ro']);
    expect(environment).toMatchObject({
      REX_CONFIG: '/app/config.yml',
      REX_DATA_DIR: '/data',
      REDIS_URL: 'redis://redis:6379',
    });
  }
  expect(compose.volumes).toHaveProperty('data');
});

test('the config reads what the containers are told through the environment', () => {
  const config = read('config.yml');
  for (const name of ['REDIS_URL', 'REX_DATA_DIR', 'REX_API_HOST', 'REX_API_PORT'])
    expect(config).toContain(`\${${name}:-`);
});

test('workers can be many: no fixed name, no port', () => {
  expect(worker.container_name).toBeUndefined();
  expect(worker.ports).toBeUndefined();
});

test('a worker that is stopped has the time to finish its step', () => {
  expect(worker.stop_grace_period).toBe('2m');
});

test('the API is published on loopback alone unless asked otherwise', () => {
  expect(api.ports).toEqual(['${REX_PUBLISH:-127.0.0.1:3000}:3000']);
  expect(api.environment).toMatchObject({ REX_API_HOST: '0.0.0.0', REX_API_PORT: 3000 });
  expect(api.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:3000/healthz');
});

test('API and workers wait until Redis is healthy, and all services come back by themselves', () => {
  for (const each of [api, worker]) expect(each.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
  for (const each of [redis, api, worker]) expect(each.restart).toBe('unless-stopped');
});

test('API and workers run from one image, built here, by the command that the Dockerfile prepares', () => {
  expect(new Set([api.image, worker.image])).toEqual(new Set(['rexdeploy']));
  expect([api.build, worker.build]).toEqual(['.', '.']);
  expect(api.command).toEqual(['node', 'apps/api/dist/bundle/main.js']);
  const flags = ['--max-semi-space-size=4', '--heap-growing-percent=10'];
  expect(worker.command).toEqual(['node', ...flags, 'apps/worker/dist/bundle/main.js']);
  const written = `const WORKER_FLAGS = [${flags.map((flag) => `'${flag}'`).join(', ')}];`;
  for (const file of ['scripts/worker-flags.mjs', 'packages/sandbox/src/controller.ts']) {
    expect(read(file)).toContain(written);
  }
  expect(read('Dockerfile')).toContain(`CMD ${JSON.stringify(api.command).replaceAll(',', ', ')}`);
});

test('the image holds every workspace, is built by a script that exists, and does not run as root', () => {
  const dockerfile = read('Dockerfile');
  const lock = z.object({ packages: z.record(z.string(), z.unknown()) }).parse(JSON.parse(read('package-lock.json')));
  const workspaces = Object.keys(lock.packages).filter((path) => /^(apps|packages)\/[^/]+$/.test(path));
  expect(workspaces.length).toBeGreaterThan(3);
  for (const path of workspaces) expect(dockerfile).toContain(`COPY ${path}/package.json ${path}/`);
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
  for (const [, script = ''] of dockerfile.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script);
  expect(dockerfile).toMatch(/^USER node$/m);
});

test('neither secrets nor the config go into the image', () => {
  const ignored = read('.dockerignore').split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['keys', 'config.yml', '.env*', 'rexdeploy.env', 'data', '.git']));
});
