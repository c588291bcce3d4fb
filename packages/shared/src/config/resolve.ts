import { homedir, userInfo } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import type { z } from 'zod';
import type { ConfigIssue } from '../errors/config-error.js';
import { balancerSchema } from './balancer.js';
import { explain } from './explain.js';
import { resolveFreezes } from './freeze.js';
import { type HealthKind, healthSchema, KEYS_OF_KIND } from './health.js';
import { checkMergedShared, configInside } from './merged.js';
import type { InstanceSection, NameSection } from './name.js';
import type {
  HealthReach,
  ReachedHost,
  ResolvedBalancer,
  ResolvedEnvironment,
  ResolvedHealth,
  ResolvedInstance,
  ResolvedJump,
  ResolvedLogin,
  ResolvedName,
  ResolvedSsh,
} from './resolved.js';
import { batchesOf, checkEnvironment } from './rules.js';
import type { EnvironmentSection } from './schema.js';
import { type JumpSection, type SshSection, sshSchema } from './ssh.js';

/** One place that may give a part of an inherited section; outermost first. */
interface Level {
  path: string;
  section: Record<string, unknown> | undefined;
}

/** Merges the inherited sections of one environment and checks what only the whole can tell. */
export function resolveEnvironment(
  key: string,
  section: EnvironmentSection,
  directory: string,
): { environment: ResolvedEnvironment; issues: ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const path = `environments.${key}`;
  const names = new Map<string, ResolvedName>();
  for (const [k, name] of Object.entries(section.names)) {
    names.set(k, resolveName(k, name, key, section, directory, issues));
  }
  const environment = { key, desc: section.desc, allowSenv: section.allow_senv, names };
  issues.push(...checkEnvironment(path, section));
  return { environment, issues: unique(issues) };
}

function resolveName(
  k: string,
  name: NameSection,
  environmentKey: string,
  environment: EnvironmentSection,
  directory: string,
  issues: ConfigIssue[],
): ResolvedName {
  const instances = new Map<string, ResolvedInstance>();
  for (const [key, instance] of Object.entries(name.instances)) {
    const base = `environments.${environmentKey}`;
    const levels = (section: 'ssh' | 'balancer' | 'health'): Level[] => [
      { path: `${base}.${section}`, section: environment[section] },
      { path: `${base}.names.${k}.${section}`, section: name[section] },
      { path: `${base}.names.${k}.instances.${key}.${section}`, section: instance[section] },
    ];
    instances.set(key, resolveInstance(key, k, { log: name.log, ...instance }, levels, directory, issues));
  }
  issues.push(...checkServers(`environments.${environmentKey}.names.${k}.instances`, instances));
  issues.push(...checkMergedShared(`environments.${environmentKey}.names.${k}.instances`, name));
  return {
    k,
    environment: environmentKey,
    desc: name.desc ?? '',
    batches: batchesOf(name),
    keepReleases: name.keep_releases,
    retries: name.retries,
    onFailure: name.on_failure,
    holdTimeoutMs: name.hold_timeout,
    freeze: resolveFreezes(name.freeze),
    // What is shared is no part of any release: it is neither listed nor taken from anywhere.
    exclude: [...name.exclude, ...name.shared.map((path) => `/${path}`)],
    shared: name.shared,
    hooks: {
      beforeStop: name.hooks.before_stop,
      afterSwitch: name.hooks.after_switch,
      afterStart: name.hooks.after_start,
    },
    serviceTimeout: {
      startSeconds: wholeSeconds(name.service_timeout.start),
      stopSeconds: wholeSeconds(name.service_timeout.stop),
    },
    transfer: name.transfer,
    instances,
  };
}

function resolveInstance(
  key: string,
  name: string,
  instance: InstanceSection,
  levels: (section: 'ssh' | 'balancer' | 'health') => Level[],
  directory: string,
  issues: ConfigIssue[],
): ResolvedInstance {
  const sshLevels = levels('ssh');
  const ssh = resolveSsh(sshLevels, directory, issues);
  return {
    key,
    name,
    host: instance.host,
    programDir: instance.program_dir,
    configDir: instance.is_deloy_dir === 1 ? undefined : instance.config_dir,
    configInside: configInside(instance),
    service: instance.service,
    process: instance.process,
    balancerPort: instance.balancer_port,
    log: instance.log?.replaceAll('{instance}', key),
    ssh,
    balancer: resolveBalancer(levels('balancer'), sshLevels.slice(0, 2), directory, issues),
    health: resolveHealth(levels('health'), { instance: key, host: instance.host, login: ssh }, issues),
  };
}

function resolveHealth(levels: Level[], reach: HealthReach, issues: ConfigIssue[]): ResolvedHealth | undefined {
  if (levels.every((level) => level.section === undefined)) return undefined;
  const section = parse(healthSchema, ofOneKind(levels, issues), issues);
  return section === undefined ? undefined : { ...section, reach };
}

/**
 * The innermost level that says what is asked decides the kind of check. Keys that mean something to other kinds alone
 * are left out where they stand further outside, and are a fault there or further inside.
 */
function ofOneKind(levels: Level[], issues: ConfigIssue[]): Level[] {
  const kinds = Object.keys(KEYS_OF_KIND) as HealthKind[];
  const kindOf = ({ section }: Level) => kinds.find((kind) => section?.[kind] !== undefined);
  const at = levels.findLastIndex((level) => kindOf(level) !== undefined);
  const kind = levels.map(kindOf)[at];
  if (kind === undefined) return levels;
  const foreign = new Set<string>(kinds.filter((other) => other !== kind).flatMap((other) => [...KEYS_OF_KIND[other]]));
  return levels.map(({ path, section }, index) => {
    if (section === undefined) return { path, section };
    const [wrong, own] = [true, false].map((is) => Object.entries(section).filter(([key]) => foreign.has(key) === is));
    const expected = `nothing where \`${kind}\` is given`;
    for (const [key] of index < at ? [] : (wrong ?? []))
      issues.push({ path: `${path}.${key}`, found: `the key "${key}"`, expected });
    return { path, section: Object.fromEntries(own ?? []) };
  });
}

function resolveBalancer(
  levels: Level[],
  sshLevels: Level[],
  directory: string,
  issues: ConfigIssue[],
): ResolvedBalancer {
  if (levels.every((level) => level.section === undefined)) return { type: 'none' };
  const section = parse(balancerSchema, ofOneType(levels), issues);
  if (section === undefined) return { type: 'none' };
  const reached = (host: string, ssh: SshSection | undefined): ReachedHost => {
    const own: Level = { path: `${levels.at(-1)?.path}.ssh`, section: ssh };
    return { host, login: resolveSsh([...sshLevels, own], directory, issues) };
  };
  switch (section.type) {
    case 'nginx': {
      const { host, ssh, ...rest } = section;
      return { ...rest, ...reached(host, ssh) };
    }
    case 'haproxy': {
      const { host, ssh, socket, address = '', ...rest } = section;
      return { ...rest, reach: host === undefined ? { address } : { ...reached(host, ssh), socket } };
    }
    case 'command': {
      const { host, ssh, ...rest } = section;
      return { ...rest, reach: host === undefined ? undefined : reached(host, ssh) };
    }
    case 'http':
    case 'none':
      return section;
  }
}

/** One server of HAProxy cannot stand for two instances: each would give back what the other took out. */
function checkServers(path: string, instances: ReadonlyMap<string, ResolvedInstance>): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const ownerOf = new Map<string, string>();
  for (const { key, balancer } of instances.values()) {
    if (balancer.type !== 'haproxy' || balancer.server === undefined) continue;
    const { backend, server, reach } = balancer;
    const place = JSON.stringify(['address' in reach ? reach.address : reach.host, backend, server]);
    const owner = ownerOf.get(place);
    ownerOf.set(place, key);
    if (owner === undefined) continue;
    const found = `"${server}", which ${owner} has`;
    issues.push({ path: `${path}.${key}.balancer.server`, found, expected: 'a server of its own' });
  }
  return issues;
}

/** Leaves out what stands outside of a level that names another type: keys of one type mean nothing to another. */
function ofOneType(levels: Level[]): Level[] {
  const types = levels.map((level) => level.section?.type);
  const type = types.findLast((each) => each !== undefined);
  const other = types.findLastIndex((each) => each !== undefined && each !== type);
  return levels.slice(other + 1);
}

function resolveSsh(levels: Level[], directory: string, issues: ConfigIssue[]): ResolvedSsh {
  const ssh = parse(sshSchema, levels, issues) ?? {};
  const path = levels.find((level) => level.section !== undefined)?.path ?? levels[0]?.path ?? 'ssh';
  if (!ssh.private_key && !ssh.password && !ssh.agent) {
    issues.push({ path, found: 'no way to log in', expected: 'private_key, password or agent' });
  }
  const jump = [ssh.jump ?? []].flat().map((hop) => resolveJump(hop, ssh, directory));
  return { ...resolveLogin(ssh, directory), sudo: ssh.sudo === true, jump };
}

function resolveLogin(ssh: Omit<SshSection, 'sudo' | 'jump'>, directory: string): ResolvedLogin {
  return {
    user: ssh.user ?? userInfo().username,
    port: ssh.port ?? 22,
    privateKey: ssh.private_key ? resolvePath(directory, ssh.private_key) : undefined,
    passphrase: ssh.passphrase || undefined,
    password: ssh.password || undefined,
    agent: ssh.agent || undefined,
    knownHosts: resolvePath(directory, ssh.known_hosts ?? `${homedir()}/.ssh/known_hosts`),
  };
}

/**
 * The ways to log in are inherited together or not at all: a password or passphrase goes with the key and the host it
 * was given for, and is not shown to another one.
 */
function resolveJump(hop: JumpSection, ssh: SshSection, directory: string): ResolvedJump {
  const { host, ...own } = hop;
  const { private_key, passphrase, password, agent } = own.private_key || own.password || own.agent ? own : ssh;
  const { user = ssh.user, known_hosts = ssh.known_hosts, port } = own;
  return { host, ...resolveLogin({ user, port, private_key, passphrase, password, agent, known_hosts }, directory) };
}

/** Merges the levels key by key and checks the result; a fault is told at the innermost level that gave the key. */
function parse<T extends z.ZodType>(schema: T, levels: Level[], issues: ConfigIssue[]): z.output<T> | undefined {
  const merged: Record<string, unknown> = Object.assign({}, ...levels.map((level) => level.section ?? {}));
  const result = schema.safeParse(merged);
  if (result.success) return result.data;
  const innermost = levels.findLast((level) => level.section !== undefined)?.path ?? levels[0]?.path ?? '';
  for (const issue of explain(result.error.issues, merged)) {
    const key = issue.path.split('.')[0] ?? '';
    const giver = levels.findLast((level) => level.section !== undefined && key in level.section)?.path ?? innermost;
    issues.push({ ...issue, path: issue.path === '(top)' ? giver : `${giver}.${issue.path}` });
  }
  return undefined;
}

const wholeSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

function unique(issues: ConfigIssue[]): ConfigIssue[] {
  const seen = new Map(issues.map((issue) => [`${issue.path}\0${issue.found}\0${issue.expected}`, issue]));
  return [...seen.values()];
}
