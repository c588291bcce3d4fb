import type { ConfigIssue } from '../errors/config-error.js';
import type { InstanceSection } from './name.js';
import type { EnvironmentSection } from './schema.js';

/** A directory of the configuration, which is switched as a whole. */
interface Place {
  /** Where it stands in the file: the instance, then its key. */
  at: string;
  key: 'program_dir' | 'config_dir';
  owner: string;
  host: string;
  directory: string;
}

/** What lies beside a directory because of it: its releases, what made way for the first one, and shared entries. */
const BESIDE = /^(.+)_(?:\d{8}_\d{6}(?:_before)?|shared)$/;
/** Folder of our own beside each directory. */
const STATE = '.rexdeploy';

/**
 * Directories that would get in each other's way on their host: one is switched away, or removed as an old release,
 * together with what lies in it.
 */
export function checkPlaces(path: string, environment: EnvironmentSection): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const known = new Map<string, Place>();
  const merged = new Set<Place>();
  for (const [k, name] of Object.entries(environment.names)) {
    for (const [owner, instance] of Object.entries(name.instances)) {
      const at = `${path}.names.${k}.instances.${owner}`;
      const isMerged = isMergedTree(instance);
      if (isMerged) issues.push(...checkMerged(at, instance));
      for (const place of placesOf(at, owner, instance)) {
        const other = known.get(nameOf(place.host, place.directory));
        if (other !== undefined) {
          const found = `${place.host}:${place.directory}, which ${other.owner} uses`;
          issues.push({ path: at, found, expected: 'a directory of its own' });
          continue;
        }
        known.set(nameOf(place.host, place.directory), place);
        if (isMerged && place.key === 'config_dir') merged.add(place);
      }
    }
  }
  for (const place of known.values()) {
    if (!merged.has(place)) issues.push(...checkPlace(place, (directory) => known.get(nameOf(place.host, directory))));
  }
  return issues;
}

function checkPlace({ at, key, directory }: Place, find: (directory: string) => Place | undefined): ConfigIssue[] {
  const issue = (found: string, expected: string) => [
    { path: `${at}.${key}`, found: `${directory}, ${found}`, expected },
  ];
  for (const folder of pathsTo(directory)) {
    if (folder.endsWith(`/${STATE}`)) return issue(`which lies in a folder ${STATE}`, 'a directory outside of it');
    const around = folder === directory ? undefined : find(folder);
    if (around !== undefined) {
      return issue(`which lies in the ${around.key} of ${around.owner}`, `a directory outside of ${folder}`);
    }
    const beside = find(BESIDE.exec(folder)?.[1] ?? '');
    if (beside !== undefined) {
      const kind = folder.endsWith('_shared') ? 'the shared entries' : 'a release';
      const found = folder === directory ? `named like ${kind}` : `which lies in what is named like ${kind}`;
      return issue(`${found} of ${beside.directory} (${beside.owner})`, 'another name');
    }
  }
  return [];
}

/** One tree of program and configuration: `config_dir` is a part of `program_dir`. */
const isMergedTree = (instance: InstanceSection): boolean => instance.is_deloy_dir === 1;

function checkMerged(at: string, { program_dir, config_dir }: InstanceSection): ConfigIssue[] {
  if (config_dir?.startsWith(`${program_dir}/`) === true) return [];
  const expected = `a directory inside ${program_dir}, because is_deloy_dir is 1`;
  return [{ path: `${at}.config_dir`, found: config_dir ?? 'nothing', expected }];
}

function placesOf(at: string, owner: string, instance: InstanceSection): Place[] {
  const { host, program_dir, config_dir } = instance;
  return [
    { at, key: 'program_dir', owner, host, directory: program_dir },
    ...(config_dir === undefined ? [] : [{ at, key: 'config_dir' as const, owner, host, directory: config_dir }]),
  ];
}

const nameOf = (host: string, directory: string): string => `${host.toLowerCase()}:${directory}`;

/** `/a/b/c` → `/a`, `/a/b`, `/a/b/c`. */
function pathsTo(directory: string): string[] {
  const parts = directory.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 2).join('/'));
}
