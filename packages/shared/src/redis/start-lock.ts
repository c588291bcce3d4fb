import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { birthOf } from './birth.js';

/** Held by the one process that starts the server of a directory. */
const fileOf = (directory: string): string => join(directory, 'starting');

/**
 * Takes the lock, or takes it away from a process that is gone, so that the next call gets it. The holder is known by its
 * number and its birth: a number alone may have passed on to a program that never ends.
 */
export function takeStartLock(directory: string): boolean {
  const file = fileOf(directory);
  // Linked into place with its content: nobody ever finds it empty.
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, ownerText(process.pid), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch {
    removeStale(file);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

export function leaveStartLock(directory: string): void {
  rmSync(fileOf(directory), { force: true });
}

function removeStale(file: string): void {
  const text = read(file);
  if (text === undefined || isHeld(text)) return;
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
    // Somebody else may have removed it and another one taken it since it was read: that one gets it back.
    if (read(aside) !== text) linkSync(aside, file);
  } catch {
    // Removed by somebody else.
  }
  rmSync(aside, { force: true });
}

const ownerText = (pid: number): string => `${pid} ${birthOf(pid)}`;
const isHeld = (text: string): boolean => text === ownerText(Number.parseInt(text, 10));

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
