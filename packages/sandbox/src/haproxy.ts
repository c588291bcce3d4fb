/** A real HAProxy in front of the instances, with a runtime socket of its own, over a file and over TCP. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findProgram } from './find-program.js';
import { findFreePort } from './ports.js';
import { type Child, startChild } from './process.js';

export interface HaproxyOptions {
  /** Configuration, socket and log go here. */
  dir: string;
  address: string;
  sites: readonly HaproxySite[];
}

/** A name to serve: a backend and its servers. */
export interface HaproxySite {
  name: string;
  servers: readonly HaproxySiteServer[];
}

export interface HaproxySiteServer {
  /** What HAProxy calls it. */
  key: string;
  address: string;
  port: number;
  /** Further words of its line, e.g. `weight 7`; without them it is checked. */
  words?: string;
}

export interface HaproxyServer {
  name: string;
  state: 'ready' | 'drain' | 'maint';
  weight: number;
  /** As HAProxy shows it: `UP`, `DOWN`, `no check`, `DRAIN`, `MAINT`, … */
  status: string;
}

export interface Haproxy {
  /** The first site. */
  readonly url: string;
  readonly pid: number;
  /** Runtime socket, as a file and as `host:port`. */
  readonly socket: string;
  readonly statsAddress: string;
  urlOf(name: string): string;
  /** Sends one line to the runtime socket. */
  send(commands: string): Promise<string>;
  servers(name?: string): Promise<HaproxyServer[]>;
  stop(): Promise<void>;
  /** Runtime state is lost by this, as by a reload. Also starts one that was stopped. */
  restart(): Promise<void>;
  /** A new process takes over the addresses, the former one ends with its last request; no connection is refused. */
  reload(): Promise<void>;
}

/** Two failed checks in a row take a server out; two good ones bring it back. */
const DEFAULT_WORDS = 'check inter 100ms fall 2 rise 2';

export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  mkdirSync(options.dir, { recursive: true });
  let lastError: unknown;
  // Between finding a port and listening on it, another program may take it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const ports: number[] = [];
    while (ports.length <= options.sites.length) {
      const port = await findFreePort(options.address);
      if (!ports.includes(port)) ports.push(port);
    }
    writeFileSync(confOf(options.dir), confText(options, ports));
    try {
      return new LocalHaproxy(options, ports, await run(options, ports));
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

class LocalHaproxy implements Haproxy {
  readonly url: string;
  readonly socket: string;
  readonly statsAddress: string;
  #child: Child;

  constructor(
    readonly options: HaproxyOptions,
    /** Of the stats socket, then of each site. */
    readonly ports: readonly number[],
    child: Child,
  ) {
    this.url = this.urlOf(firstName(options));
    this.socket = socketOf(options.dir);
    this.statsAddress = `${options.address}:${ports[0]}`;
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  urlOf(name: string): string {
    const at = this.options.sites.findIndex((site) => site.name === name);
    if (at < 0) throw new Error(`HAProxy serves no name ${name}`);
    return `http://${this.options.address}:${this.ports[at + 1]}`;
  }

  async send(commands: string): Promise<string> {
    const link = connect({ path: this.socket });
    link.write(`${commands}\n`);
    return text(link);
  }

  async servers(name = firstName(this.options)): Promise<HaproxyServer[]> {
    const states = await this.send(`show servers state ${name}`);
    const [heading = '', ...rows] = (await this.send(`show stat ${name} 4 -1`)).trim().split('\n');
    const column = (row: string, key: string): string => row.split(',')[heading.slice(2).split(',').indexOf(key)] ?? '';
    return rows.map((row) => {
      const server = column(row, 'svname');
      const [, , , , , , admin = '0', weight] =
        states
          .split('\n')
          .find((line) => line.split(' ')[3] === server)
          ?.split(' ') ?? [];
      const bits = Number(admin);
      const state = (bits & 0x67) !== 0 ? 'maint' : (bits & 0x18) !== 0 ? 'drain' : 'ready';
      return { name: server, state, weight: Number(weight), status: column(row, 'status') };
    });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#child = await run(this.options, this.ports);
  }

  async reload(): Promise<void> {
    const former = this.#child;
    this.#child = await run(this.options, this.ports, ['-sf', String(former.pid)]);
    await former.exited;
  }
}

function run(options: HaproxyOptions, ports: readonly number[], words: readonly string[] = []): Promise<Child> {
  return startChild({
    name: 'haproxy',
    command: findProgram('haproxy'),
    args: ['-db', '-f', confOf(options.dir), ...words],
    cwd: options.dir,
    // It listens at one after another, and answers at the first while the last still refuses.
    ready: [...ports.map((port) => ({ address: options.address, port })), { socket: socketOf(options.dir) }],
  });
}

const firstName = (options: HaproxyOptions): string => options.sites[0]?.name ?? 'server';
const confOf = (dir: string): string => join(dir, 'haproxy.cfg');
const socketOf = (dir: string): string => join(dir, 'admin.sock');

/** A request that a server does not answer fails visibly: sending it to another would hide a gap in a roll-out. */
function confText({ dir, address, sites }: HaproxyOptions, ports: readonly number[]): string {
  const parts = sites.map(({ name, servers }, at) => {
    const lines = servers.map((one) => `  server ${one.key} ${one.address}:${one.port} ${one.words ?? DEFAULT_WORDS}`);
    return `frontend ${name}-in
  bind ${address}:${ports[at + 1]}
  default_backend ${name}

backend ${name}
  option httpchk GET /health
${lines.join('\n')}
`;
  });
  return `global
  stats socket ${socketOf(dir)} mode 600 level admin
  stats socket ${address}:${ports[0]} level admin
  hard-stop-after 2s

defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  # Without it a check that is not answered within its interval has failed: a busy machine would take servers out.
  timeout check 5s

${parts.join('\n')}`;
}
