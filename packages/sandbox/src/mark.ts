/**
 * Tells the processes of one fleet from all others. Everything a fleet starts inherits one variable, so that even what
 * was left running by an interrupted remote command is found and ended.
 */
import { basename } from 'node:path';
import { argumentsOf, environmentOf, findProcess, listProcesses, signalProcess, workingDirectoryOf } from './proc.js';

/** Its value is the fleet's folder. */
const VARIABLE = 'REX_SANDBOX';

/** These overwrite their environment with their title; they are known by the files they use instead. */
const TITLED = new Set(['redis-server', 'nginx', 'sshd', 'haproxy']);

/** The variable to hand to everything started for the fleet in `dir`. */
export function markOf(dir: string): Record<string, string> {
  return { [VARIABLE]: dir };
}

/** Every process that belongs to the fleet in `dir`; never this one. */
export function findMarked(dir: string): number[] {
  const wanted = `${VARIABLE}=${dir}`;
  return listProcesses()
    .filter(({ pid, state }) => pid !== process.pid && state !== 'Z')
    .map(({ pid }) => pid)
    .filter((pid) => environmentOf(pid).includes(wanted) || isTitledIn(pid, dir));
}

/** On a busy machine a process dies of KILL only when it gets its turn. */
const KILL_PATIENCE_MS = 10_000;
const KILL_PAUSE_MS = 5;

/** Ends them all; synchronous, so that it can also run while the process exits. */
export function killMarked(dir: string): void {
  const deadline = Date.now() + KILL_PATIENCE_MS;
  // Killing a parent may let a child appear under another one, so look again until nothing is left.
  for (;;) {
    const found = findMarked(dir);
    if (found.length === 0 || Date.now() > deadline) return;
    for (const pid of found) signalProcess(pid, 'SIGKILL');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, KILL_PAUSE_MS);
  }
}

function isTitledIn(pid: number, dir: string): boolean {
  const words = argumentsOf(pid);
  const program = basename((words[0] ?? '').split(/[ :]/)[0] ?? '');
  if (!TITLED.has(program)) return false;
  // A worker process carries no file name in its title, but its parent does.
  const parent = findProcess(pid)?.parent ?? 0;
  const within = workingDirectoryOf(pid)?.startsWith(`${dir}/`) ?? false;
  return within || [...words, ...argumentsOf(parent)].some((word) => word.includes(`${dir}/`));
}
