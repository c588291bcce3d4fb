import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { isAlive } from './proc.js';
import { type RedisServer, startRedis } from './redis.js';

/** One inline command, one answer. */
function ask(redis: RedisServer, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(redis.port, '127.0.0.1', () => socket.write(`${line}\r\n`));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().trim());
    });
    socket.once('error', reject);
  });
}

test('keeps what was written through a kill when it has an append-only file', async () => {
  const redis = await startRedis({ aof: true });
  await ask(redis, 'SET k v');
  await redis.kill();
  await expect(ask(redis, 'PING')).rejects.toThrow('ECONNREFUSED');
  await redis.restart();
  expect(await ask(redis, 'GET k')).toBe('$1\r\nv');
  await redis.close();
  expect(existsSync(redis.dir)).toBe(false);
});

test('answers nothing while frozen, and stops even then', async () => {
  const redis = await startRedis();
  expect(await ask(redis, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  redis.freeze();
  const answer = ask(redis, 'PING');
  expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'silence'))])).toBe('silence');
  redis.thaw();
  expect(await answer).toBe('+PONG');
  redis.freeze();
  await redis.close();
  expect(isAlive(redis.pid)).toBe(false);
});
