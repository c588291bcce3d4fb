import type { Difference } from '@rexdeploy/shared/journal/events';
import { type FileEntry, fileCount, type Manifest, type ManifestEntry } from '@rexdeploy/store/manifest';
import { memoOfTwo } from '@rexdeploy/store/memo';
import type { ListedEntry } from './listing.js';

/** What of a wanted tree is on the host already, and what has to be sent. */
export interface Delta {
  /** The tree as it will stand: kept files have the host's times. */
  target: Manifest;
  /** Paths of files taken from the current release. */
  keep: readonly string[];
  /** Entries that travel: changed and new files, all directories and symlinks. */
  send: readonly ManifestEntry[];
  /** Bytes of the files in `send`. */
  sendBytes: number;
}

/**
 * Compares by content: a file with equal bytes and mode is kept, whatever its time. Hosts that have the same get the same
 * result.
 */
export const makeDelta = memoOfTwo((base: Manifest, wanted: Manifest): Delta => {
  const current = new Map(base.entries.map((entry) => [entry.path, entry]));
  const keep: string[] = [];
  const send: ManifestEntry[] = [];
  let sendBytes = 0;
  const entries = wanted.entries.map((entry): ManifestEntry => {
    const there = current.get(entry.path);
    if (entry.type === 'file' && isSame(there, entry)) {
      keep.push(entry.path);
      return there.mtime === entry.mtime ? entry : { ...entry, mtime: there.mtime };
    }
    send.push(entry);
    if (entry.type === 'file') sendBytes += entry.size;
    return entry;
  });
  return { target: { entries }, keep, send, sendBytes };
});

const isSame = (there: ManifestEntry | undefined, wanted: FileEntry): there is FileEntry =>
  there?.type === 'file' && there.sha256 === wanted.sha256 && there.mode === wanted.mode;

/**
 * The part of a recorded tree that still stands on the host as it was placed: type, mode, size and exact time agree.
 * Times were set to whole seconds, so a later write shows as a fraction.
 */
export function unchangedPart(recorded: Manifest, listed: readonly ListedEntry[]): Manifest {
  const byPath = new Map(listed.map((entry) => [entry.path, entry]));
  const entries = recorded.entries.filter((entry) => {
    const there = byPath.get(entry.path);
    if (there === undefined || there.type !== entry.type || there.mode !== entry.mode) return false;
    if (entry.type !== 'file') return true;
    return there.size === entry.size && Number(there.mtime) === entry.mtime;
  });
  return { entries };
}

/** Paths shown of a difference; more would flood the answer. */
const SHOWN_PATHS = 200;

/** How a wanted tree differs from the current one, for people. Directories do not count. */
export function difference(base: Manifest, wanted: Manifest): Difference {
  const before = new Map(base.entries.map((entry) => [entry.path, entry]));
  const after = new Set(wanted.entries.map((entry) => entry.path));
  const paths: string[] = [];
  const result = { added: 0, changed: 0, removed: 0, unchanged: 0, bytes: 0 };
  for (const entry of wanted.entries) {
    if (entry.type === 'dir') continue;
    const there = before.get(entry.path);
    const same = entry.type === 'file' ? isSame(there, entry) : there?.target === entry.target;
    if (same) {
      result.unchanged += 1;
      continue;
    }
    result[there === undefined ? 'added' : 'changed'] += 1;
    result.bytes += entry.size;
    paths.push(`${there === undefined ? '+' : '~'}${entry.path}`);
  }
  for (const entry of base.entries) {
    if (entry.type === 'dir' || after.has(entry.path)) continue;
    result.removed += 1;
    paths.push(`-${entry.path}`);
  }
  return { ...result, paths: paths.slice(0, SHOWN_PATHS) };
}

export const EMPTY: Manifest = { entries: [] };
export const isEmpty = (manifest: Manifest): boolean => fileCount(manifest) === 0 && manifest.entries.length === 0;
