/** What Linux tells about running processes. Everything is synchronous, so that it also works while we exit. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessFacts {
  pid: number;
  parent: number;
  group: number;
  /** One letter as in `ps`: `Z` is a process that ended and was not yet collected. */
  state: string;
  /** In clock ticks since the machine started. */
  startTime: number;
}

/** Every process there is; those that end while we look are left out. */
export function listProcesses(): ProcessFacts[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const facts = findProcess(Number(entry));
    return facts === undefined ? [] : [facts];
  });
}

/** One process, or undefined when there is none. */
export function findProcess(pid: number): ProcessFacts | undefined {
  const stat = readOf(pid, 'stat');
  if (stat === undefined) return undefined;
  // The command name stands in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group] = fields;
  return { pid, parent: Number(parent), group: Number(group), state, startTime: Number(fields[19]) };
}

/** True while the process exists and has not ended; a zombie has ended. */
export function isAlive(pid: number): boolean {
  const facts = findProcess(pid);
  return facts !== undefined && facts.state !== 'Z' && facts.state !== 'X';
}

/** The children of a process, their children, and so on; parents before children. */
export function descendantsOf(pid: number): number[] {
  const all = listProcesses();
  const found: number[] = [];
  let parents = [pid];
  while (parents.length > 0) {
    parents = all.filter((one) => parents.includes(one.parent)).map((one) => one.pid);
    found.push(...parents);
  }
  return found;
}

/** The direct children of a process. */
export function childrenOf(pid: number): number[] {
  return listProcesses()
    .filter((one) => one.parent === pid)
    .map((one) => one.pid);
}

/** The words of the command line; empty for kernel threads and ended processes. */
export function argumentsOf(pid: number): string[] {
  return (readOf(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
}

/** `KEY=value` words of the environment the process was started with; empty when it may not be read. */
export function environmentOf(pid: number): string[] {
  return (readOf(pid, 'environ') ?? '').split('\0');
}

/** The directory a process works in, or undefined. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Sends a signal; false when the process (or, for a negative number, the group) is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
