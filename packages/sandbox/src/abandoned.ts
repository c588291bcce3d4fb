/**
 * A process ended by KILL cannot clean up after itself. Each fleet therefore notes whose it is, and the next one that
 * starts ends what is left of fleets whose owner is gone.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killMarked } from './mark.js';
import { findProcess } from './proc.js';

const OWNER = 'owner';

/** Notes this process as the owner of the fleet in `dir`. */
export function noteOwner(dir: string): void {
  writeFileSync(join(dir, OWNER), ownerText(process.pid));
}

/** Ends and removes the fleets below `base` that nobody owns any more; gives their folders back. */
export function sweepAbandoned(base: string): string[] {
  return readdirSync(base)
    .filter((entry) => entry.startsWith('rex-'))
    .map((entry) => join(base, entry))
    .filter(isAbandoned)
    .filter(remove);
}

/** Folders without a note are somebody else's, or so new that the note is still to come. */
function isAbandoned(dir: string): boolean {
  try {
    const text = readFileSync(join(dir, OWNER), 'utf8');
    return /^\d+ \d+$/.test(text) && text !== ownerText(Number.parseInt(text, 10));
  } catch {
    return false;
  }
}

function remove(dir: string): boolean {
  try {
    killMarked(dir);
    rmSync(dir, { recursive: true, force: true });
    return true;
  } catch {
    // Another user's fleet: not ours to end.
    return false;
  }
}

/** Process ids are used again; together with the start time they are unique. */
function ownerText(pid: number): string {
  return `${pid} ${findProcess(pid)?.startTime ?? 0}`;
}
