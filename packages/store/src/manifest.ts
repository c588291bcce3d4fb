import { createHash } from 'node:crypto';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { memo } from './memo.js';
import { ancestorsOf, comparePaths, isTreePath, parentOf } from './tree-path.js';

/** What every entry has: `mode` holds the permission bits (07777), `mtime` whole Unix seconds, `size` bytes. */
interface EntryFacts {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
}

/** A regular file; `sha256` is the hex digest of its content and the name of its blob. */
export interface FileEntry extends EntryFacts {
  readonly type: 'file';
  readonly sha256: string;
  readonly target?: undefined;
}

/** A directory; its `size` is 0. */
export interface DirEntry extends EntryFacts {
  readonly type: 'dir';
  readonly sha256?: undefined;
  readonly target?: undefined;
}

/** A symbolic link; `target` is what it says, unresolved; its `size` is 0. */
export interface SymlinkEntry extends EntryFacts {
  readonly type: 'symlink';
  readonly target: string;
  readonly sha256?: undefined;
}

export type ManifestEntry = FileEntry | DirEntry | SymlinkEntry;

/** A tree's entries: unique, sorted by the bytes of their paths, every parent listed before what it holds. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
}

/** Mode of a directory that nobody listed but that must exist. */
export const IMPLICIT_DIR_MODE = 0o755;

const facts = {
  path: z.string().refine(isTreePath, 'not a path inside the tree'),
  mode: z.int().min(0).max(0o7777),
  size: z.int().min(0),
  mtime: z.int().min(0),
};
const EntrySchema = z.discriminatedUnion('type', [
  z.strictObject({ ...facts, type: z.literal('file'), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ ...facts, type: z.literal('dir') }),
  z.strictObject({ ...facts, type: z.literal('symlink'), target: z.string().min(1) }),
]);

/**
 * Makes a manifest of entries in any order; directories that are missing above an entry are added with mode 0755 and
 * the entry's mtime.
 * @throws PackageError for two entries of one path, and for an entry below something that is not a directory
 */
export function makeManifest(entries: Iterable<ManifestEntry>): Manifest {
  const byPath = new Map<string, ManifestEntry>();
  for (const entry of entries) {
    if (byPath.has(entry.path)) throw new PackageError({ where: entry.path, what: 'the path occurs twice' });
    byPath.set(entry.path, entry);
  }
  for (const entry of [...byPath.values()]) addParents(byPath, entry);
  return { entries: [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path)) };
}

function addParents(byPath: Map<string, ManifestEntry>, entry: ManifestEntry): void {
  for (const path of ancestorsOf(entry.path)) {
    const parent = byPath.get(path);
    if (parent === undefined) {
      byPath.set(path, { path, type: 'dir', mode: IMPLICIT_DIR_MODE, size: 0, mtime: entry.mtime });
    } else if (parent.type !== 'dir') {
      throw new PackageError({ where: entry.path, what: `lies below ${path}, which is a ${parent.type}` });
    }
  }
}

/** The canonical form: one JSON object a line, keys always in the same order, every line ended by `\n`. */
export function serializeManifest(manifest: Manifest): string {
  // Every host gets it; of very large ones not even the text is held.
  return manifest.entries.length > REMEMBERED_ENTRIES ? textOf(manifest) : remembered(manifest);
}

const REMEMBERED_ENTRIES = 50_000;
const textOf = (manifest: Manifest): string => manifest.entries.map((entry) => `${entryLine(entry)}\n`).join('');
const remembered = memo(textOf);

function entryLine({ path, type, mode, size, mtime, sha256, target }: ManifestEntry): string {
  // The order of the keys is part of the id: never change it. Undefined keys are left out by JSON.stringify.
  return JSON.stringify({ path, type, mode, size, mtime, sha256, target });
}

/** SHA-256 (hex) of the canonical form: equal trees have equal ids, wherever they were made. */
export const manifestId = memo((manifest: Manifest): string => {
  const hash = createHash('sha256');
  if (manifest.entries.length <= REMEMBERED_ENTRIES) return hash.update(serializeManifest(manifest)).digest('hex');
  for (const entry of manifest.entries) hash.update(`${entryLine(entry)}\n`);
  return hash.digest('hex');
});

/**
 * Reads the canonical form back. Trusts nothing: the text may come from a host.
 * @throws PackageError naming the line and what is wrong with it
 */
export function parseManifest(text: string): Manifest {
  if (text === '') return { entries: [] };
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new PackageError({ where: 'manifest', what: 'cut off: its last line has no end' });
  const types = new Map<string, ManifestEntry['type']>();
  let previous = '';
  const entries = lines.map((line, index) => {
    const entry = parseLine(line, index + 1);
    if (comparePaths(previous, entry.path) >= 0) throw badLine(index + 1, `${entry.path} is not in order`);
    const parent = parentOf(entry.path);
    if (parent !== '' && types.get(parent) !== 'dir') throw badLine(index + 1, `no directory holds ${entry.path}`);
    types.set(entry.path, entry.type);
    previous = entry.path;
    return entry;
  });
  return { entries };
}

function parseLine(line: string, number: number): ManifestEntry {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw badLine(number, 'not JSON');
  }
  const parsed = EntrySchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badLine(number, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an entry'}`);
}

function badLine(number: number, what: string): PackageError {
  return new PackageError({ where: `manifest line ${number}`, what });
}

/** Bytes of all files together. */
export function totalSize(manifest: Manifest): number {
  return manifest.entries.reduce((sum, entry) => sum + entry.size, 0);
}

/** Number of regular files. */
export function fileCount(manifest: Manifest): number {
  return manifest.entries.reduce((count, entry) => count + (entry.type === 'file' ? 1 : 0), 0);
}
