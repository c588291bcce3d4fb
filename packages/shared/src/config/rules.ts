import type { ConfigIssue } from '../errors/config-error.js';
import type { InstanceSection, NameSection } from './name.js';
import { checkPlaces } from './places.js';
import type { EnvironmentSection } from './schema.js';

/** The rules that span several keys of one environment. */
export function checkEnvironment(path: string, environment: EnvironmentSection): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const ownerOf = new Map<string, string>();
  const onHost = byHost(environment);
  for (const [k, name] of Object.entries(environment.names)) {
    issues.push(...checkRollout(`${path}.names.${k}.rollout`, name));
    for (const [key, instance] of Object.entries(name.instances)) {
      const at = `${path}.names.${k}.instances.${key}`;
      const owner = ownerOf.get(key);
      if (owner !== undefined) {
        issues.push({ path: at, found: `"${key}", already an instance of "${owner}"`, expected: 'a key of its own' });
      }
      if (Object.hasOwn(environment.names, key)) {
        issues.push({ path: at, found: `"${key}", which is also a name`, expected: 'an instance key that is no name' });
      }
      ownerOf.set(key, k);
      issues.push(...checkProcess(`${at}.process`, key, instance, onHost.get(instance.host) ?? []));
    }
  }
  return [...issues, ...checkPlaces(path, environment)];
}

/** Batches of a name as lists of keys; without `rollout` one instance after another, as listed. */
export function batchesOf(name: NameSection): string[][] {
  if (name.rollout === undefined) return Object.keys(name.instances).map((key) => [key]);
  return name.rollout.map((batch) => batch.split(/\s+/).filter((key) => key !== ''));
}

function checkRollout(path: string, name: NameSection): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const seen = new Set<string>();
  for (const [index, batch] of batchesOf(name).entries()) {
    for (const key of batch) {
      const at = `${path}.${index}`;
      if (!Object.hasOwn(name.instances, key)) {
        const known = Object.keys(name.instances).join(', ');
        issues.push({ path: at, found: `"${key}", which is no instance`, expected: `one of ${known}` });
      }
      if (seen.has(key)) issues.push({ path: at, found: `"${key}" again`, expected: 'each instance exactly once' });
      seen.add(key);
    }
  }
  for (const [index, batch] of batchesOf(name).entries()) {
    if (batch.length === 0)
      issues.push({ path: `${path}.${index}`, found: 'an empty batch', expected: 'instance keys' });
  }
  const missing = Object.keys(name.instances).filter((key) => !seen.has(key));
  if (missing.length > 0) {
    issues.push({ path, found: `no batch with ${missing.join(', ')}`, expected: 'each instance exactly once' });
  }
  return issues;
}

type Neighbour = readonly [key: string, instance: InstanceSection];

/** The instances of each host: an environment may have thousands, a host has a few. */
function byHost(environment: EnvironmentSection): Map<string, Neighbour[]> {
  const hosts = new Map<string, Neighbour[]>();
  for (const name of Object.values(environment.names)) {
    for (const entry of Object.entries(name.instances)) {
      const [, { host }] = entry;
      const neighbours = hosts.get(host);
      if (neighbours === undefined) hosts.set(host, [entry]);
      else neighbours.push(entry);
    }
  }
  return hosts;
}

/** A pattern that also matches a neighbour's processes would end them: `server1` matches `server10`. */
function checkProcess(path: string, key: string, own: InstanceSection, onHost: readonly Neighbour[]): ConfigIssue[] {
  if (own.process === undefined) return [];
  let pattern: RegExp;
  try {
    pattern = new RegExp(own.process);
  } catch {
    return [{ path, found: JSON.stringify(own.process), expected: 'a pattern as pgrep takes it' }];
  }
  return onHost.flatMap(([other, instance]) => {
    if (other === key || instance.process === undefined) return [];
    if (!pattern.test(instance.process)) return [];
    const found = `${JSON.stringify(own.process)}, which also matches the processes of ${other} on ${own.host}`;
    return [{ path, found, expected: 'a pattern that matches no other instance of the host' }];
  });
}
