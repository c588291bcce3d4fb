/** A real nginx in front of the instances, with configuration, pid and logs of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.js';
import { findFreePort } from './ports.js';
import { type Child, startChild } from './process.js';
import { parseUpstream, type UpstreamServer, upstreamText } from './upstream.js';

export interface NginxOptions {
  /** Its prefix: configuration, pid, logs and temporary files go here. */
  dir: string;
  address: string;
  /** The names to serve, each with the instances behind it. */
  sites: readonly Site[];
}

export interface Site {
  name: string;
  servers: readonly { address: string; port: number }[];
}

export interface Nginx {
  /** The first site. */
  readonly url: string;
  readonly pid: number;
  readonly accessLog: string;
  readonly errorLog: string;
  /** The words with which plain `nginx …` reaches this one. */
  readonly args: readonly string[];
  urlOf(name: string): string;
  upstreamFile(name?: string): string;
  /** The servers the upstream file lists now. */
  upstream(name?: string): UpstreamServer[];
  /** One line per request: time, status, the instance that answered (`address:port`), its status, seconds, request. */
  readAccessLog(): Promise<string[]>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  for (const sub of ['conf.d', 'tmp', 'logs']) mkdirSync(join(options.dir, sub), { recursive: true });
  for (const { name, servers } of options.sites) {
    writeFileSync(upstreamFileOf(options.dir, name), upstreamText(name, servers));
  }
  let lastError: unknown;
  // Between finding a port and listening on it, another program may take it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const ports = new Map<string, number>();
    for (const { name } of options.sites) {
      let port = await findFreePort(options.address);
      while ([...ports.values()].includes(port)) port = await findFreePort(options.address);
      ports.set(name, port);
    }
    writeFileSync(confOf(options.dir), confText(options, ports));
    try {
      return new LocalNginx(options, ports, await run(options, ports));
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

class LocalNginx implements Nginx {
  readonly url: string;
  readonly accessLog: string;
  readonly errorLog: string;
  readonly args: readonly string[];
  #child: Child;

  constructor(
    readonly options: NginxOptions,
    readonly ports: ReadonlyMap<string, number>,
    child: Child,
  ) {
    this.url = this.urlOf(firstName(options));
    this.accessLog = join(options.dir, 'logs/access.log');
    this.errorLog = errorLogOf(options.dir);
    this.args = argsOf(options.dir);
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  urlOf(name: string): string {
    const port = this.ports.get(name);
    if (port === undefined) throw new Error(`nginx serves no name ${name}`);
    return `http://${this.options.address}:${port}`;
  }

  upstreamFile(name = firstName(this.options)): string {
    return upstreamFileOf(this.options.dir, name);
  }

  upstream(name = firstName(this.options)): UpstreamServer[] {
    return parseUpstream(readFileSync(this.upstreamFile(name), 'utf8'));
  }

  async readAccessLog(): Promise<string[]> {
    return (await readFile(this.accessLog, 'utf8')).split('\n').filter((line) => line !== '');
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#child = await run(this.options, this.ports);
  }
}

/** A script that makes plain `nginx -t`, `nginx -T` and `nginx -s reload` mean the nginx in `dir`. */
export function nginxWrapper(dir: string): string {
  const words = [findProgram('nginx'), ...argsOf(dir)].map((word) => `'${word}'`).join(' ');
  return `#!/bin/sh\nexec ${words} "$@"\n`;
}

function run(options: NginxOptions, ports: ReadonlyMap<string, number>): Promise<Child> {
  return startChild({
    name: 'nginx',
    command: findProgram('nginx'),
    args: argsOf(options.dir),
    cwd: options.dir,
    // It listens at one after another.
    ready: [...ports.values()].map((port) => ({ address: options.address, port })),
    explain: () => readFileSync(errorLogOf(options.dir), 'utf8'),
  });
}

const firstName = (options: NginxOptions): string => options.sites[0]?.name ?? 'server';
const confOf = (dir: string): string => join(dir, 'nginx.conf');
const errorLogOf = (dir: string): string => join(dir, 'logs/error.log');
const upstreamFileOf = (dir: string, name: string): string => join(dir, 'conf.d', `${name}.conf`);
const argsOf = (dir: string): string[] => ['-e', errorLogOf(dir), '-c', confOf(dir), '-p', `${dir}/`];

function confText(options: NginxOptions, ports: ReadonlyMap<string, number>): string {
  const { dir, address } = options;
  // Started as root, nginx would run its workers as a user who may not enter a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root root;\n' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${dir}/tmp/${kind};`,
  );
  const sites = options.sites.map(({ name }) => siteText(name, address, ports.get(name) ?? 0));
  return `${user}daemon off;
pid ${dir}/nginx.pid;
error_log ${errorLogOf(dir)} warn;
worker_processes 1;
events { worker_connections 512; }
http {
  ${temporary.join('\n  ')}
  log_format sandbox '$time_iso8601 $status $upstream_addr $upstream_status $request_time "$request"';
  access_log ${dir}/logs/access.log sandbox;
  include ${dir}/conf.d/*.conf;
  ${sites.join('\n  ')}
}
`;
}

/** A request that an instance does not answer fails visibly: passing it on would hide a gap in a roll-out. */
function siteText(name: string, address: string, port: number): string {
  return `server {
    listen ${address}:${port};
    location / {
      proxy_pass http://${name};
      proxy_next_upstream off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 10s;
    }
  }`;
}
