import type { OnFailure } from '../journal/events.js';
import type { CommandSection, HaproxySection, HttpSection, NginxSection } from './balancer.js';
import type { FreezeWindow } from './freeze.js';
import type { HealthSection } from './health.js';
import type { ServiceSection } from './name.js';
import type { ResolvedNotifier } from './notify.js';

/** What the file means once inheritance, defaults and paths are settled. All times in milliseconds, sizes in bytes. */

/** Whom to log in as on one host, and how. */
export interface ResolvedLogin {
  user: string;
  port: number;
  privateKey?: string | undefined;
  passphrase?: string | undefined;
  password?: string | undefined;
  agent?: string | undefined;
  knownHosts: string;
}

/** A host on the way to others. */
export interface ResolvedJump extends ResolvedLogin {
  host: string;
}

export interface ResolvedSsh extends ResolvedLogin {
  /** Everything is run as root. */
  sudo?: boolean | undefined;
  /** Hosts to go through, outermost first. */
  jump?: ResolvedJump[] | undefined;
}

/** A host and the log-in to it. */
export interface ReachedHost {
  host: string;
  login: ResolvedSsh;
}

/** HAProxy's socket: on a host, over SSH; or over TCP from the worker itself. */
export type HaproxyReach = (ReachedHost & { socket: string }) | { address: string };

export type ResolvedNginx = Omit<NginxSection, 'ssh'> & ReachedHost;
export type ResolvedHaproxy = Omit<HaproxySection, 'host' | 'ssh' | 'socket' | 'address'> & { reach: HaproxyReach };
/** Commands run on the worker's own machine where `reach` is absent. */
export type ResolvedCommand = Omit<CommandSection, 'host' | 'ssh'> & { reach: ReachedHost | undefined };

/** A balancer together with the log-in to the host that runs it. */
export type ResolvedBalancer = ResolvedNginx | ResolvedHaproxy | HttpSection | ResolvedCommand | { type: 'none' };

/** The instance that a check is about, and the log-in for a check that its host makes. */
export type HealthReach = ReachedHost & { instance: string };
export type ResolvedHealth = HealthSection & { reach?: HealthReach | undefined };

export interface ResolvedInstance {
  key: string;
  name: string;
  host: string;
  programDir: string;
  /** A tree of its own, with a link. */
  configDir?: string | undefined;
  /** Or a part of the program's tree, kept from release to release: its path inside of it. */
  configInside?: string | undefined;
  service?: ServiceSection | undefined;
  process?: string | undefined;
  balancerPort?: number | undefined;
  ssh: ResolvedSsh;
  balancer: ResolvedBalancer;
  /** Pattern of the app's log files on the host. */
  log?: string | undefined;
  health?: ResolvedHealth | undefined;
}

export interface ResolvedName {
  k: string;
  environment: string;
  desc: string;
  /** Instance keys, batch by batch. */
  batches: string[][];
  keepReleases: number;
  retries: number;
  onFailure: OnFailure;
  /** A deployment that is held for longer is cancelled. */
  holdTimeoutMs?: number | undefined;
  /** Its own, beside those of the configuration. */
  freeze: FreezeWindow[];
  /** Globs; with the shared paths, each with a leading "/". */
  exclude: string[];
  /** Paths inside the program that outlive its releases. */
  shared: string[];
  /** Commands, empty = none. */
  hooks: { beforeStop: string; afterSwitch: string; afterStart: string };
  /** Whole seconds, at least one: what `timeout` and a shell's arithmetic can take. */
  serviceTimeout: { startSeconds: number; stopSeconds: number };
  transfer: { reuse: 'copy' | 'link'; parallel: number; compression: 'auto' | 'none' | 'gzip' };
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
  api: {
    host: string;
    port: number;
    printStdout: 0 | 1;
    envelope: 'page' | 'original';
    rateLimit: number;
    metrics: 'token' | 'open';
    /** Without a slash at its end; empty = not known. */
    publicUrl: string;
  };
  worker: { concurrency: number; lockMs: number; stalledCheckMs: number; sweepAfterMs: number };
  journal: { keepMs: number; keepPerName: number };
  packages: { allowHosts: string[]; maxBytes: number; keep: number };
  /** Times in which nothing is rolled out. */
  freeze: FreezeWindow[];
  notify: ResolvedNotifier[];
  telemetry: { otlp: string };
}

/** Where a key of a request leads: a whole name, or some instances of one. */
export interface Target {
  name: ResolvedName;
  /** Instance keys in roll-out order, batch by batch. */
  batches: string[][];
}
