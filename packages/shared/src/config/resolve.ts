import { homedir, userInfo } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import type { z } from 'zod';
import type { ConfigIssue } from '../errors/config-error.js';
import { balancerSchema } from './balancer.js';
import { explain } from './explain.js';
import { healthSchema } from './health.js';
import type { InstanceSection, NameSection } from './name.js';
import type { ResolvedBalancer, ResolvedEnvironment, ResolvedInstance, ResolvedName, ResolvedSsh } from './resolved.js';
import { batchesOf, checkEnvironment } from './rules.js';
import type { EnvironmentSection } from './schema.js';
import { sshSchema } from './ssh.js';

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
    instances.set(key, resolveInstance(key, k, instance, levels, directory, issues));
  }
  return {
    k,
    environment: environmentKey,
    desc: name.desc ?? '',
    batches: batchesOf(name),
    keepReleases: name.keep_releases,
    retries: name.retries,
    exclude: name.exclude,
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
  const healthLevels = levels('health');
  const health = healthLevels.some((level) => level.section !== undefined)
    ? parse(healthSchema, healthLevels, issues)
    : undefined;
  return {
    key,
    name,
    host: instance.host,
    programDir: instance.program_dir,
    configDir: instance.config_dir,
    service: instance.service,
    process: instance.process,
    balancerPort: instance.balancer_port,
    ssh: resolveSsh(sshLevels, directory, issues),
    balancer: resolveBalancer(levels('balancer'), sshLevels.slice(0, 2), directory, issues),
    health,
  };
}

function resolveBalancer(
  levels: Level[],
  sshLevels: Level[],
  directory: string,
  issues: ConfigIssue[],
): ResolvedBalancer {
  if (levels.every((level) => level.section === undefined)) return { type: 'none' };
  const section = parse(balancerSchema, levels, issues);
  if (section === undefined || section.type === 'none') return { type: 'none' };
  const own: Level = { path: `${levels.at(-1)?.path}.ssh`, section: section.ssh };
  return { ...section, login: resolveSsh([...sshLevels, own], directory, issues) };
}

function resolveSsh(levels: Level[], directory: string, issues: ConfigIssue[]): ResolvedSsh {
  const ssh = parse(sshSchema, levels, issues) ?? {};
  const path = levels.find((level) => level.section !== undefined)?.path ?? levels[0]?.path ?? 'ssh';
  if (ssh.sudo === true) {
    issues.push({ path: `${path}.sudo`, found: 'true', expected: 'false: sudo is not part of this version' });
  }
  if (!ssh.private_key && !ssh.password && !ssh.agent) {
    issues.push({ path, found: 'no way to log in', expected: 'private_key, password or agent' });
  }
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

function unique(issues: ConfigIssue[]): ConfigIssue[] {
  const seen = new Map(issues.map((issue) => [`${issue.path}\0${issue.found}\0${issue.expected}`, issue]));
  return [...seen.values()];
}
