/** A real redis-server of one's own, on a free loopback port. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.js';
import { findFreePort } from './ports.js';
import { type Child, startChild } from './process.js';
import { onProcessExit } from './release-stack.js';

const ADDRESS = '127.0.0.1';

export interface RedisOptions {
  /** Keeps an append-only file, so that `kill` and `restart` lose nothing. */
  aof?: boolean;
  /** Where it keeps its files; without it a temporary folder that `close` removes. */
  dir?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly pid: number;
  stop(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port with the same files; stops it first when it runs. */
  restart(): Promise<void>;
  /** Stops it and removes its folder when that was made for it. */
  close(): Promise<void>;
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const ownDir = options.dir === undefined;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'rex-redis-')));
  const forget = ownDir ? onProcessExit(() => rmSync(dir, { recursive: true, force: true })) : () => undefined;
  const aof = options.aof ?? false;
  try {
    const { child, port } = await runOnFreePort(dir, aof);
    return new LocalRedis(child, port, dir, aof, ownDir, forget);
  } catch (error) {
    forget();
    if (ownDir) await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

class LocalRedis implements RedisServer {
  readonly url: string;
  #child: Child;

  constructor(
    child: Child,
    readonly port: number,
    readonly dir: string,
    readonly aof: boolean,
    readonly ownDir: boolean,
    readonly forget: () => void,
  ) {
    this.#child = child;
    this.url = `redis://${ADDRESS}:${port}`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  freeze(): void {
    this.#child.freeze();
  }

  thaw(): void {
    this.#child.thaw();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#child = await run(this.port, this.dir, this.aof);
  }

  async close(): Promise<void> {
    await this.stop();
    this.forget();
    if (this.ownDir) await rm(this.dir, { recursive: true, force: true });
  }
}

async function runOnFreePort(dir: string, aof: boolean): Promise<{ child: Child; port: number }> {
  let lastError: unknown;
  // Between finding a port and listening on it, another program may take it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const port = await findFreePort(ADDRESS);
    try {
      return { child: await run(port, dir, aof), port };
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

function run(port: number, dir: string, aof: boolean): Promise<Child> {
  const settings = {
    bind: ADDRESS,
    port: String(port),
    dir,
    save: '',
    appendonly: aof ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return startChild({
    name: 'redis-server',
    command: findProgram('redis-server'),
    args: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
    cwd: dir,
    ready: { line: /Ready to accept connections/ },
  });
}
