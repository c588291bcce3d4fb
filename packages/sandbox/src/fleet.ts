/**
 * A complete small production on loopback: real sshd hosts with a real app on each, a real nginx or HAProxy in front,
 * and an environment to take packages from. Everything lies in one temporary folder and ends with `close`.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { noteOwner, sweepAbandoned } from './abandoned.js';
import { fleetConfig } from './fleet-config.js';
import { fillUat, makeInstances, makePrograms } from './fleet-contents.js';
import { FleetHost } from './fleet-host.js';
import { type NameOptions, type NamePlan, planNames } from './fleet-names.js';
import { type Haproxy, startHaproxy } from './haproxy.js';
import type { FirstDeployment, FleetInstance } from './instance.js';
import { type KeyPair, makeKeyPair, writeKnownHosts } from './keys.js';
import { findMarked, killMarked, markOf } from './mark.js';
import { deepMerge, type JsonObject } from './merge.js';
import { type Nginx, nginxWrapper, startNginx } from './nginx.js';
import type { ProgramSize } from './program.js';
import { onProcessExit, ReleaseStack } from './release-stack.js';

export interface FleetOptions extends NameOptions {
  program?: Partial<ProgramSize>;
  balancer?: 'nginx' | 'haproxy' | 'none';
  /** `release`: a link to a stamped directory; `plain`: a plain directory, as before any tool; `nothing`. */
  firstDeployment?: FirstDeployment;
  /** `false`: files only, without service, processes and health; much lighter for fleets of many names. */
  app?: boolean;
  /** Share of the files in which v2 differs from v1. */
  changed?: number;
  /** Hosts are logged in to as a user who is not root, and everything is run through sudo. */
  sudo?: boolean;
  /** Hosts are reached through another one, with a key and a known_hosts file of its own. */
  jump?: boolean;
  /** `redis.url` of the configuration; without it the embedded Redis is used. */
  redisUrl?: string;
  /** Folder in which the fleet makes its own, e.g. `/dev/shm`. */
  base?: string;
}

export interface Fleet {
  /** Part of every process mark. */
  readonly id: string;
  readonly dir: string;
  /** Hosts of the environment `prod`, in the order of the instances. */
  readonly hosts: readonly FleetHost[];
  /** The host of the balancer, with `nginx` as a command where it is that; undefined without one. */
  readonly lb: FleetHost | undefined;
  readonly nginx: Nginx | undefined;
  readonly haproxy: Haproxy | undefined;
  readonly uat: FleetHost;
  /** The host that all others are reached through; undefined where they are reached directly. */
  readonly jump: FleetHost | undefined;
  /** Where the program lies on the uat host, by name. */
  readonly uatDirs: ReadonlyMap<string, { programDir: string; configDir: string }>;
  readonly names: readonly NamePlan[];
  readonly instances: readonly FleetInstance[];
  /** Variables that tie a process to the fleet: what inherits them ends with it. */
  readonly env: Readonly<Record<string, string>>;
  instance(key: string): FleetInstance;
  /** The host an instance lives on. */
  hostOf(key: string): FleetHost;
  config(): JsonObject;
  /** Writes config.yml, with `overrides` laid over it, and gives its path back. */
  writeConfig(overrides?: JsonObject): string;
  close(): Promise<void>;
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const releases = new ReleaseStack();
  try {
    return await build(options, releases);
  } catch (error) {
    await releases.close();
    throw error;
  }
}

async function build(options: FleetOptions, releases: ReleaseStack): Promise<Fleet> {
  const dir = await ownFolder(options.base ?? tmpdir(), releases);
  const id = dir.slice(dir.lastIndexOf('-') + 1);
  const env = markOf(dir);
  const plans = planNames(options);
  const keys = {
    prod: await newKey(dir, 'deploy'),
    uat: await newKey(dir, 'deploy-uat'),
    jump: await newKey(dir, 'jump'),
  };
  // A user who is not root has to get to what lies below.
  if (options.sudo === true) await chmod(dir, 0o711);
  const knownHosts = join(dir, 'keys/known_hosts');
  const block = addressBlock();

  const startHost = async (label: string, last: number, key: KeyPair, known = knownHosts): Promise<FleetHost> => {
    const host = await FleetHost.start({
      label,
      dir: join(dir, 'hosts', label),
      address: `${block}.${last}`,
      authorizedKey: key.line,
      privateKey: key.privateKey,
      knownHosts: known,
      env,
      sudo: options.sudo === true && label !== 'jump',
    });
    releases.defer(() => host.sshd.kill());
    return host;
  };
  const hostCount = plans[0]?.keys.length ?? 0;
  const [programs, uat, lb, jump, ...hosts] = await Promise.all([
    makePrograms(dir, options),
    startHost('uat', 8, keys.uat),
    options.balancer === 'none' ? undefined : startHost('lb', 9, keys.prod),
    options.jump === true ? startHost('jump', 7, keys.jump, join(dir, 'keys/known_hosts_jump')) : undefined,
    ...Array.from({ length: hostCount }, (_, at) => startHost(`host${at + 1}`, 10 + at, keys.prod)),
  ]);
  const known = (all: FleetHost[]) =>
    all.map(({ address, sshPort: port, sshd }) => ({ address, port, keyLines: sshd.hostKeys }));
  await writeKnownHosts(knownHosts, known([...hosts, uat, ...(lb === undefined ? [] : [lb])]));
  if (jump !== undefined) await writeKnownHosts(jump.knownHosts, known([jump]));

  const instances = await makeInstances(plans, hosts, id, options.app ?? true, env);
  const first = options.firstDeployment ?? 'release';
  await Promise.all(instances.map((instance) => instance.place(programs.v1, first)));
  const uatDirs = await fillUat(plans, uat, programs.v2);
  await rm(programs.dir, { recursive: true, force: true });

  const running = first === 'nothing' || options.app === false ? [] : instances;
  const [{ nginx, haproxy }] = await Promise.all([
    startBalancer(options.balancer ?? 'nginx', lb, plans, instances, releases),
    ...running.map((instance) => instance.start()),
  ]);

  const { redisUrl } = options;
  const facts = {
    dataDir: join(dir, 'data'),
    redisUrl,
    plans,
    instances,
    hosts,
    uat,
    uatDirs,
    lb,
    jump,
    nginx,
    haproxy,
  };
  const config = (): JsonObject => fleetConfig(facts);
  const find = <T>(found: T | undefined, key: string): T => {
    if (found === undefined) throw new Error(`the fleet has no instance ${key}`);
    return found;
  };
  const instance = (key: string): FleetInstance =>
    find(
      instances.find((one) => one.key === key),
      key,
    );
  return {
    id,
    dir,
    hosts,
    lb,
    nginx,
    haproxy,
    uat,
    jump,
    uatDirs,
    names: plans,
    instances,
    env,
    instance,
    hostOf: (key) =>
      find(
        hosts.find((host) => host.address === instance(key).host),
        key,
      ),
    config,
    writeConfig: (overrides = {}) => {
      const file = join(dir, 'config.yml');
      writeFileSync(file, dump(deepMerge(config(), overrides)));
      return file;
    },
    close: () => releases.close(),
  };
}

/** The first thing acquired and the last released: by then only processes nobody else knows of are left. */
async function ownFolder(base: string, releases: ReleaseStack): Promise<string> {
  sweepAbandoned(base);
  const dir = await mkdtemp(join(base, 'rex-'));
  noteOwner(dir);
  const sweep = (): void => {
    killMarked(dir);
    rmSync(dir, { recursive: true, force: true });
  };
  const forget = onProcessExit(sweep);
  releases.defer(async () => {
    killMarked(dir);
    // A process killed a moment ago may still be writing its last file.
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    const left = findMarked(dir);
    forget();
    if (left.length > 0) throw new Error(`processes of the fleet in ${dir} are left: ${left.join(', ')}`);
  });
  return dir;
}

async function newKey(dir: string, name: string): Promise<KeyPair> {
  await mkdir(join(dir, 'keys'), { recursive: true });
  return makeKeyPair(join(dir, 'keys', name));
}

/** Every address of 127/8 is there without set-up; a random block keeps fleets apart that run at the same time. */
function addressBlock(): string {
  const part = (): number => 1 + Math.floor(Math.random() * 254);
  return `127.${part()}.${part()}`;
}

async function startBalancer(
  type: 'nginx' | 'haproxy' | 'none',
  lb: FleetHost | undefined,
  plans: readonly NamePlan[],
  instances: readonly FleetInstance[],
  releases: ReleaseStack,
): Promise<{ nginx: Nginx | undefined; haproxy: Haproxy | undefined }> {
  if (lb === undefined || type === 'none') return { nginx: undefined, haproxy: undefined };
  const dir = join(lb.dir, type);
  const { address } = lb;
  const sites = plans.map(({ name }) => ({
    name,
    servers: instances.filter((one) => one.name === name).map(({ key, host, port }) => ({ key, address: host, port })),
  }));
  if (type === 'haproxy') {
    const haproxy = await startHaproxy({ dir, address, sites });
    releases.defer(() => haproxy.stop());
    return { nginx: undefined, haproxy };
  }
  const nginx = await startNginx({ dir, address, sites });
  releases.defer(() => nginx.stop());
  lb.putCommand('nginx', nginxWrapper(dir));
  return { nginx, haproxy: undefined };
}
