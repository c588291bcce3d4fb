import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { openRedis, whenReady } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { hashToken, TOKEN } from '@rexdeploy/shared/tokens';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';

const cli = rexInFolder();
const { rex, writeConfig } = cli;

describe('rex token', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  test('create prints the token once; Redis holds its digest and nothing else of it', async () => {
    await writeConfig({ redis: redis.url });
    const words = [
      'token',
      'create',
      '--name',
      'ci',
      '--role',
      'viewer',
      '--names',
      'server, shop*',
      '--expires',
      '90d',
    ];
    const made = await rex([...words, '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const answer = JSON.parse(made.stdout);
    expect(answer).toEqual({
      name: 'ci',
      token: expect.stringMatching(TOKEN),
      role: 'viewer',
      names: 'server,shop*',
      expires: expect.any(String),
    });
    expect(Date.parse(answer.expires) - Date.now()).toBeGreaterThan(89.9 * 86_400_000);

    const client = openRedis(redis.url, 'request', () => undefined);
    await whenReady(client, 30_000);
    const stored = await client.hgetall(new Keys('rex').token(hashToken(answer.token)));
    client.disconnect();
    expect(stored).toMatchObject({ name: 'ci', role: 'viewer', names: 'server,shop*' });
    expect(JSON.stringify(stored)).not.toContain(answer.token);

    const listed = await rex(['token', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ name: 'ci', role: 'viewer', expires: answer.expires, last_used: null }),
    ]);
    expect(listed.stdout).not.toContain(answer.token);
    expect((await rex(['token', 'create', '--name', 'ci'])).stderr).toContain('a token named "ci" exists');

    expect((await rex(['token', 'revoke', '--name', 'ci'])).code).toBe(0);
    expect((await rex(['token', 'revoke', '--name', 'ci'])).code).toBe(1);
    expect((await rex(['token', 'list'])).stdout).toContain('no tokens');
  });

  test('plain output is the token alone, so that a shell can keep it', async () => {
    await writeConfig({ redis: redis.url });
    const made = await rex(['token', 'create', '--name', 'plain']);
    expect(made.stdout.trim()).toMatch(TOKEN);
    expect(made.stderr).toContain('role deployer, names *, never expires');
    const listed = await rex(['token', 'list']);
    expect(listed.stdout).toMatch(/^plain +\d{10}…[a-z]{4} +deployer +\* +\S+Z +never +-$/m);
  });

  test.for([
    [['--name', 'a b'], 'Letters, digits'],
    [['--name', 'ok', '--role', 'king'], 'Allowed choices are viewer, deployer, admin'],
    [['--name', 'ok', '--names', 'a;b'], 'Names separated by commas'],
    [['--name', 'ok', '--expires', '90'], 'A duration such as'],
    [[], "required option '--name <name>' not specified"],
  ] as const)('wrong usage is told and ends with 2: %j', async ([words, message]) => {
    const result = await rex(['token', 'create', ...words]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });

  test('a Redis that is away ends it with 4, and names the setting', async () => {
    await writeConfig({ redis: 'redis://127.0.0.1:1' });
    const result = await rex(['token', 'list']);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toMatch(/^rex: Redis cannot be used: .*ECONNREFUSED.*; check redis.url in /);
  });

  test('the embedded Redis is started for it, keeps the token, and is stopped again', async () => {
    await writeConfig();
    const made = await rex(['token', 'create', '--name', 'ci', '--json']);
    expect(made.code).toBe(0);
    const { pid } = JSON.parse(await readFile(join(cli.dir, 'data/redis/endpoint.json'), 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(JSON.parse((await rex(['token', 'list', '--json'])).stdout)).toEqual([
      expect.objectContaining({ name: 'ci' }),
    ]);
    const second = JSON.parse(await readFile(join(cli.dir, 'data/redis/endpoint.json'), 'utf8'));
    await expect.poll(() => isAlive(second.pid)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
