import type { BalancerSection } from './balancer.js';
import type { HealthSection } from './health.js';
import type { ServiceSection } from './name.js';

/** What the file means once inheritance, defaults and paths are settled. All times in milliseconds, sizes in bytes. */

export interface ResolvedSsh {
  user: string;
  port: number;
  privateKey?: string | undefined;
  passphrase?: string | undefined;
  password?: string | undefined;
  agent?: string | undefined;
  knownHosts: string;
}

/** A balancer together with the log-in to the host that runs it. */
export type ResolvedBalancer =
  | (Extract<BalancerSection, { type: 'nginx' }> & { login: ResolvedSsh })
  | Extract<BalancerSection, { type: 'none' }>;

export interface ResolvedInstance {
  key: string;
  name: string;
  host: string;
  programDir: string;
  configDir?: string | undefined;
  service?: ServiceSection | undefined;
  process?: string | undefined;
  balancerPort?: number | undefined;
  ssh: ResolvedSsh;
  balancer: ResolvedBalancer;
  health?: HealthSection | undefined;
}

export interface ResolvedName {
  k: string;
  environment: string;
  desc: string;
  /** Instance keys, batch by batch. */
  batches: string[][];
  keepReleases: number;
  retries: number;
  exclude: string[];
  transfer: { reuse: 'copy' | 'link'; parallel: number; compression: 'none' };
  instances: Map<string, ResolvedInstance>;
}

export interface ResolvedEnvironment {
  key: string;
  desc: string;
  allowSenv: string[];
  names: Map<string, ResolvedName>;
}

export interface Config {
  /** Absolute path of the file and of its folder. */
  file: string;
  directory: string;
  /** The environment that this controller deploys to. */
  own: ResolvedEnvironment;
  environments: Map<string, ResolvedEnvironment>;
  timezone: string;
  dataDir: string;
  redis: { url: string; prefix: string };
  api: { host: string; port: number; printStdout: 0 | 1; rateLimit: number };
  worker: { concurrency: number; lockMs: number; stalledCheckMs: number };
  journal: { keepMs: number; keepPerName: number };
  packages: { allowHosts: string[]; maxBytes: number; keep: number };
}

/** Where a key of a request leads: a whole name, or some instances of one. */
export interface Target {
  name: ResolvedName;
  /** Instance keys in roll-out order, batch by batch. */
  batches: string[][];
}
