import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { birthOf } from './birth.js';
import { type RedisServer, useRedis } from './embedded.js';

let dir: string;
let used: RedisServer[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rex-embedded-'));
  used = [];
});
afterEach(async () => {
  for (const server of used) await server.release();
  await vi.waitFor(() => expect(birthOf(pid())).toBeUndefined(), { timeout: 30_000, interval: 10 });
  rmSync(dir, { recursive: true, force: true });
});

async function use(): Promise<string> {
  const server = await useRedis('', dir);
  used.push(server);
  return server.url;
}

const pid = (): number => JSON.parse(readFileSync(join(dir, 'redis/endpoint.json'), 'utf8')).pid;
const portOf = (url: string): string => new URL(url).port;

async function crash(): Promise<void> {
  process.kill(pid(), 'SIGKILL');
  await vi.waitFor(() => expect(birthOf(pid())).toBeUndefined(), { timeout: 30_000, interval: 10 });
}

test('many who come at the same time share one server', async () => {
  const urls = await Promise.all([use(), use(), use()]);
  expect(new Set(urls).size).toBe(1);
  expect(await use()).toBe(urls[0]);
});

test.each([
  ['another program has its number now', `${process.pid} another-birth`],
  ['it was a version that noted its number alone', String(process.pid)],
  ['it was cut off while it wrote', ''],
])('a starter that is gone holds nobody up: %s', async (_, text) => {
  mkdirSync(join(dir, 'redis'), { recursive: true });
  writeFileSync(join(dir, 'redis/starting'), text);
  const startedAt = performance.now();
  await use();
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});

test('after a crash the server comes back where it was, with its data, and who was connected finds it again', async () => {
  const url = await use();
  const client = new Redis(url, { retryStrategy: () => 20 });
  client.on('error', () => undefined);
  await client.set('a', '1');
  // Not `once`, which takes the errors of the attempts in between for the end.
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  await crash();
  await gone;
  const back = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  expect(await use()).toBe(url);
  await back;
  expect(await client.get('a')).toBe('1');
  client.disconnect();
});

test('where somebody else has taken its port, it comes back on another one', async () => {
  const url = await use();
  await crash();
  const stranger = createServer((socket) => socket.on('error', () => undefined));
  stranger.listen(Number(portOf(url)), '127.0.0.1');
  await once(stranger, 'listening');
  const renewed = await use();
  expect(portOf(renewed)).not.toBe(portOf(url));
  stranger.close();
});
