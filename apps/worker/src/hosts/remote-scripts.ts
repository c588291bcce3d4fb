import { readFileSync } from 'node:fs';
import type { RemoteScript } from '@rexdeploy/ssh/transport';

const read = (file: string): string => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8');

/** All texts of which scripts in a kept shell consist. */
const texts: string[] = [];
function part(file: string): number {
  const text = read(file);
  const at = texts.indexOf(text);
  return at >= 0 ? at : texts.push(text) - 1;
}

/** Scripts that change something. */
const FENCED = new Set<RemoteScript>();
function made(script: RemoteScript, files: readonly string[]): RemoteScript {
  if (files.includes(FENCE)) FENCED.add(script);
  return script;
}
const textOf = (files: readonly string[]): string => files.map(read).join('\n');
/** A script of several files, one after another. */
const joined = (name: string, files: readonly string[]): RemoteScript => made({ name, text: textOf(files) }, files);
/** One that may run in a shell which is kept open. */
const kept = (name: string, files: readonly string[]): RemoteScript =>
  made({ name, text: textOf(files), kept: { texts, parts: files.map(part) } }, files);

const COMMON = 'common.sh';
const FENCE = 'fence.sh';
/** Changes something: its own arguments come after those of fence.sh; see fence.ts. */
const GUARDED = [COMMON, FENCE];
/** Functions for shared entries. */
const SHARED = 'shared.sh';
/** Functions for the folder in which a release grows. */
const PARTIAL = 'partial.sh';
/** Functions that check contents. */
const SUMS = 'sums.sh';
/** Functions that start and stop an instance. */
const APP = 'app.sh';

/**
 * The fixed texts that run on hosts; each file's header tells purpose, arguments, answer and exit codes. Not kept are those
 * that read input, tell file names as they are, or run commands which could hold the shell's output open. What a service
 * starts outlives the shell: `timeout` gives it a process group of its own.
 */
export const scripts = {
  inspect: kept('inspect', [SHARED, COMMON, 'inspect.sh']),
  lookLock: kept('look-lock', [COMMON, 'look-lock.sh']),
  listTree: joined('list-tree', [COMMON, 'list-tree.sh']),
  pack: joined('pack', [COMMON, 'pack.sh']),
  resume: joined('resume', [PARTIAL, ...GUARDED, 'resume.sh']),
  stage: joined('stage', [SUMS, PARTIAL, SHARED, ...GUARDED, 'stage.sh']),
  unstage: joined('unstage', [PARTIAL, ...GUARDED, 'unstage.sh']),
  // What prove.sh tells comes last, and its own end is not the script's.
  switch: kept('switch', [APP, SHARED, ...GUARDED, 'switch.sh', 'in-subshell.sh', 'prove.sh', 'end-subshell.sh']),
  service: kept('service', [APP, ...GUARDED, 'service.sh']),
  standing: kept('standing', [COMMON, 'standing.sh']),
  observe: kept('observe', [COMMON, 'observe.sh']),
  releases: kept('releases', [COMMON, 'releases.sh']),
  linked: kept('linked', [COMMON, 'linked.sh']),
  prove: kept('prove', [COMMON, 'prove.sh']),
  rotation: kept('rotation', [...GUARDED, 'rotation.sh']),
  releaseLock: kept('release-lock', [...GUARDED, 'release-lock.sh']),
  cleanup: kept('cleanup', [...GUARDED, 'cleanup.sh', 'release-lock.sh']),
  nginxTest: kept('nginx-test', [COMMON, 'nginx-test.sh']),
  nginxLook: kept('nginx-look', [COMMON, 'nginx.sh', 'nginx-look.sh']),
  nginxPut: kept('nginx-put', [...GUARDED, 'nginx.sh', 'nginx-put.sh']),
  // Without the common part: what it defines must not get in the way of a command of the configuration.
  haproxySend: joined('haproxy-send', ['haproxy-send.sh']),
  haproxySet: joined('haproxy-send', [...GUARDED, 'haproxy-send.sh']),
  balancerChange: joined('balancer-change', [...GUARDED, 'balancer-change.sh']),
  balancerCommand: joined('balancer-command', ['balancer-command.sh']),
  appLog: joined('app-log', ['app-log.sh']),
  healthCommand: joined('health-command', ['health-command.sh']),
  healthUrl: joined('health-url', ['health-url.sh']),
} as const satisfies Record<string, RemoteScript>;

/** Does it change something, and takes the arguments of fence.sh before its own? */
export const isFenced = (script: RemoteScript): boolean => FENCED.has(script);
