import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RedisServer, useRedis } from './redis/embedded.js';
import { Keys } from './redis/keys.js';
import { allowsName, hashToken, makeToken, TOKEN, Tokens } from './tokens.js';

test('a token has the documented form, begins with its time, and is never made twice', () => {
  const tokens = Array.from({ length: 200 }, () => makeToken(1_527_665_686_999));
  for (const token of tokens) expect(token).toMatch(TOKEN);
  for (const token of tokens) expect(token.slice(0, 10)).toBe('1527665686');
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('the digest that is kept is the SHA-256 of the token', () => {
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test.for([
  ['*', 'server', true],
  ['server', 'server', true],
  ['server', 'server2', false],
  ['server,shop*', 'shop-eu', true],
  ['server, shop*', 'shop', true],
  ['shop*', 'myshop', false],
  ['*eu', 'shop-eu', true],
  ['s.rver', 'server', false],
  ['', 'server', false],
] as const)('the patterns "%s" and the name "%s": %s', ([names, name, allowed]) => {
  expect(allowsName({ names }, name)).toBe(allowed);
});

describe('in Redis', () => {
  const keys = new Keys('rex');
  let dir: string;
  let server: RedisServer;
  let redis: Redis;
  let tokens: Tokens;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rex-tokens-'));
    server = await useRedis('', dir);
    redis = new Redis(server.url);
    tokens = new Tokens(redis, keys);
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    redis.disconnect();
    await server.release();
    rmSync(dir, { recursive: true, force: true });
  });

  test('the use of a token is noted', async () => {
    const token = await tokens.create({ name: 'ci' });
    const before = Date.now();
    expect(await tokens.verify(token)).toMatchObject({ name: 'ci', lastUsed: 0 });
    expect((await tokens.find(token))?.lastUsed).toBeGreaterThanOrEqual(before);
  });

  test('of a token that is revoked while it is used nothing is left', async () => {
    const token = await tokens.create({ name: 'ci' });
    const hgetall = async (key: string) => {
      const fields = await redis.hgetall(key);
      await tokens.revoke('ci');
      return fields;
    };
    // It was good when it was asked about.
    expect(await tokens.verify(token, { hgetall })).toMatchObject({ name: 'ci' });
    expect(await redis.exists(keys.token(hashToken(token)))).toBe(0);
    expect(await tokens.verify(token)).toBe('unknown');
  });

  test('what is no whole record is nobody', async () => {
    const token = makeToken(Date.now());
    await redis.hset(keys.token(hashToken(token)), { lastUsed: 1 });
    expect(await tokens.verify(token)).toBe('unknown');
  });
});
