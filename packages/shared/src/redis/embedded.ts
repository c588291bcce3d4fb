import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { RexError } from '../errors/rex-error.js';
import { birthOf } from './birth.js';
import { connectionName } from './connection.js';
import { leaveStartLock, takeStartLock } from './start-lock.js';

/**
 * The embedded Redis: one server per `data_dir`, with AOF, on a free loopback port and with a password. It outlives the
 * process that started it as long as another one uses it, and is found again after a crash; the last to leave stops it.
 * A new one takes the port and password of the one before where it can: whoever still looks for that one finds it.
 */

/** `birth` tells the server from a later process of the same number. */
const endpointSchema = z.object({
  port: z.number(),
  password: z.string(),
  pid: z.number(),
  birth: z.string().optional(),
});
type Endpoint = z.infer<typeof endpointSchema>;

/** A server to use, and how to leave it. */
export interface RedisServer {
  url: string;
  /** Call when every own connection is closed. Stops an embedded server that nobody else uses. */
  release(): Promise<void>;
}

/** How long a server may take to load its data. */
const START_TIMEOUT_MS = 60_000;

/**
 * The Redis that the config names, or the embedded one when `url` is empty.
 * @throws RexError when no server can be started, with what it said
 */
export async function useRedis(url: string, dataDir: string): Promise<RedisServer> {
  if (url !== '') return { url, release: async () => undefined };
  const directory = join(dataDir, 'redis');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const endpoint = await findOrStart(directory);
  return { url: address(endpoint), release: () => release(endpoint) };
}

const address = (endpoint: Endpoint): string => `redis://:${endpoint.password}@127.0.0.1:${endpoint.port}`;

async function findOrStart(directory: string): Promise<Endpoint> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const running = await findRunning(directory, deadline);
    if (running !== undefined) return running;
    if (takeStartLock(directory)) {
      try {
        // Whoever held the lock a moment ago has started it: a second one would write to the same file.
        const renewed = await findRunning(directory, deadline);
        return renewed ?? (await start(directory, readEndpoint(directory), Date.now() + START_TIMEOUT_MS));
      } finally {
        leaveStartLock(directory);
      }
    }
    if (Date.now() > deadline) throw startFailed(directory, 'another process did not finish starting it');
    await wait(50);
  }
}

async function findRunning(directory: string, deadline: number): Promise<Endpoint | undefined> {
  const known = readEndpoint(directory);
  if (known === undefined || !isAlive(known)) return undefined;
  return (await answers(known, deadline, undefined, true)) ? known : undefined;
}

async function start(directory: string, former: Endpoint | undefined, deadline: number): Promise<Endpoint> {
  for (let attempt = 1; ; attempt += 1) {
    const endpoint = {
      port: await choosePort(attempt === 1 ? former?.port : undefined),
      password: former?.password ?? randomBytes(24).toString('hex'),
    };
    const log = openSync(join(directory, 'redis.log'), 'a', 0o600);
    // The settings go in on stdin, so that the password never stands in the process list.
    const child = spawn('redis-server', ['-'], { detached: true, stdio: ['pipe', log, log], cwd: directory });
    closeSync(log);
    let dead: string | undefined;
    child.on('error', (error) => {
      dead = error.message.includes('ENOENT') ? 'redis-server is not installed' : error.message;
    });
    child.on('exit', (code) => {
      dead ??= `redis-server ended with ${code}`;
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(settings(endpoint, directory));
    child.unref();
    const pid = child.pid ?? -1;
    const started = { ...endpoint, pid, birth: birthOf(pid) };
    if (await answers(started, deadline, () => dead !== undefined)) {
      const file = join(directory, 'endpoint.json');
      writeFileSync(`${file}.new`, JSON.stringify(started), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return started;
    }
    child.kill('SIGKILL');
    if (dead === 'redis-server is not installed' || attempt === 3) {
      throw startFailed(directory, dead ?? 'it did not answer');
    }
  }
}

function settings(endpoint: { port: number; password: string }, directory: string): string {
  return [
    'bind 127.0.0.1',
    `port ${endpoint.port}`,
    `requirepass ${endpoint.password}`,
    `dir "${directory.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

const startFailed = (directory: string, why: string): RexError =>
  new RexError({
    what: `the embedded Redis did not start: ${why}`,
    where: directory,
    whatToDo: `read ${join(directory, 'redis.log')}, install redis-server (apt-get install redis-server), or set redis.url`,
  });

function readEndpoint(directory: string): Endpoint | undefined {
  try {
    return endpointSchema.parse(JSON.parse(readFileSync(join(directory, 'endpoint.json'), 'utf8')));
  } catch {
    return undefined; // none yet, or half a file of a crashed start: a new one is written
  }
}

/** Does the server's process run? Another one may have its number now. */
function isAlive({ pid, birth }: Pick<Endpoint, 'pid' | 'birth'>): boolean {
  const now = birthOf(pid);
  return now !== undefined && (birth === undefined || birth === now);
}

/** @param published it answered before, so that a refused connection means that it is gone */
async function answers(
  endpoint: Endpoint,
  deadline: number,
  stop: () => boolean = () => false,
  published = false,
): Promise<boolean> {
  const redis = new Redis(address(endpoint), {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectionName: connectionName(),
  });
  let refused = false;
  redis.on('error', (error: Error) => {
    refused ||= error.message.includes('ECONNREFUSED');
  });
  try {
    for (;;) {
      const answer = await redis
        .connect()
        .then(() => redis.ping())
        .catch((error: Error) => error.message);
      if (answer === 'PONG') return true;
      // A wrong password means that a stranger took the port of a server that is gone.
      if (
        /WRONGPASS|NOAUTH/.test(answer) ||
        (published && refused) ||
        stop() ||
        Date.now() > deadline ||
        !isAlive(endpoint)
      )
        return false;
      redis.disconnect();
      await wait(25);
    }
  } finally {
    redis.disconnect();
  }
}

async function release(endpoint: Endpoint): Promise<void> {
  const redis = new Redis(address(endpoint), { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const clients = String(await redis.client('LIST'));
    const others = [...clients.matchAll(/ name=rex-(\d+)/g)].filter((match) => `rex-${match[1]}` !== connectionName());
    if (others.length === 0) await redis.shutdown('NOSAVE').catch(() => undefined); // AOF is synced by the shutdown itself
  } catch {
    // already gone: nothing is left to stop
  } finally {
    redis.disconnect();
  }
}

/** The wanted port where nobody has taken it, else any free one. */
async function choosePort(wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return freePort(0);
  return freePort(wanted).catch(() => freePort(0));
}

async function freePort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
