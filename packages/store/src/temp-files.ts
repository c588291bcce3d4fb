import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

/** After this long an unfinished file of another machine is taken for a leftover: its process cannot be asked. */
const FOREIGN_MAX_AGE_MS = 24 * 60 * 60 * 1000;
/** The part of all names of this process; asking for it anew for each file would cost more than writing a small one. */
let prefix: string | undefined;
let made = 0;

const NAME = /^(?<host>.+)~(?<pid>\d+)~(?<started>\d*)~[0-9a-f]+$/;

/** A fresh path in `dir` whose name tells which process is writing it, so that {@link sweepTempFiles} can judge it. */
export function tempPath(dir: string): string {
  // Random, not only counted: threads of one process share its pid and start time.
  prefix ??= `${thisHost()}~${process.pid}~${startTime(process.pid) ?? ''}~${randomBytes(8).toString('hex')}`;
  made += 1;
  return join(dir, `${prefix}${made.toString(16).padStart(8, '0')}`);
}

/** Removes unfinished files of processes that are gone. Files of living ones stay. */
export async function sweepTempFiles(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (await isLeftover(dir, name)) await rm(join(dir, name), { force: true });
  }
}

/**
 * Writes a whole file so that readers see all of it or nothing, also after a power failure.
 * @param path where it shall stand; missing directories are made
 * @param tempDir directory on the same file system in which it grows
 */
export async function writeFileAtomic(path: string, content: string, tempDir: string): Promise<void> {
  const temp = tempPath(tempDir);
  try {
    const handle = await open(temp, 'wx', 0o640);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await mkdir(dirname(path), { recursive: true });
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

async function isLeftover(dir: string, name: string): Promise<boolean> {
  const owner = NAME.exec(name)?.groups;
  if (owner === undefined || owner.host !== thisHost()) return isOlderThan(join(dir, name), FOREIGN_MAX_AGE_MS);
  return startTime(Number(owner.pid)) !== (owner.started === '' ? undefined : owner.started);
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ageMs;
  } catch {
    return false;
  }
}

/** '~' separates the parts of a name and cannot stand in a host name; whatever else is odd is made harmless. */
function thisHost(): string {
  return hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'localhost';
}

/**
 * When a process of this machine was started, in clock ticks since boot (field 22 of proc_pid_stat(5)); undefined when
 * there is no such process. With the pid alone, a restarted container's pid 1 would own its predecessor's files.
 */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself contain spaces and parentheses.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
