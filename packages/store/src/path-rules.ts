import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import type { ManifestEntry } from './manifest.js';
import { parentOf } from './tree-path.js';

/** Longest name of one path component and longest path, in bytes, that Linux takes (NAME_MAX, PATH_MAX). */
const NAME_MAX_BYTES = 255;
const PATH_MAX_BYTES = 4095;
/** Symlinks followed while resolving one, as in path_resolution(7). */
const MAX_LINKS_FOLLOWED = 40;
/** Permission and sticky bits; setuid and setgid (06000) of a package are dropped. */
const KEPT_MODE_BITS = 0o1777;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
const ANY_CONTROL_CHARACTER = new RegExp(CONTROL_CHARACTER, 'g');
/** The last second that fits a tar header's eleven octal digits (year 2242). */
const MAX_MTIME = 0o77777777777;

/**
 * The error for an archive that must not be unpacked.
 * @param name the entry's name as the archive has it; control characters are made visible
 * @param rule the rule it breaks
 */
export function refusal(name: string, rule: string): PackageError {
  const visible = name.replace(
    ANY_CONTROL_CHARACTER,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return new PackageError({ where: visible, what: rule });
}

/**
 * The path in the tree of an archive entry; `''` for the root (`./`).
 * @param name as the archive has it
 * @param format zip names have rules of their own: '/' is the only separator, and a drive letter is absolute
 * @throws PackageError when the name could lead out of the tree or cannot exist on a host
 */
export function treePath(name: string, format: 'tar' | 'zip'): string {
  if (name === '') throw refusal(name, 'an entry has no name');
  if (name.includes('\0')) throw refusal(name, 'the name contains a NUL byte');
  if (name.includes('\ufffd')) throw refusal(name, 'the name is not UTF-8');
  // Listings of hosts are read by the line, and names are shown on terminals.
  if (CONTROL_CHARACTER.test(name)) throw refusal(name, 'the name contains a control character');
  if (name.startsWith('/')) throw refusal(name, 'the path is absolute');
  if (format === 'zip' && name.includes('\\')) throw refusal(name, 'the name contains a backslash');
  if (format === 'zip' && /^[A-Za-z]:/.test(name)) throw refusal(name, 'the path is absolute (drive letter)');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refusal(name, "the path contains '..'");
  if (parts.some((part) => Buffer.byteLength(part) > NAME_MAX_BYTES)) {
    throw refusal(name, `a name is longer than ${NAME_MAX_BYTES} bytes`);
  }
  const path = parts.join('/');
  if (Buffer.byteLength(path) > PATH_MAX_BYTES) throw refusal(name, `the path is longer than ${PATH_MAX_BYTES} bytes`);
  return path;
}

/** The mode a package's entry may have: permissions and the sticky bit. */
export function keptMode(mode: number): number {
  return mode & KEPT_MODE_BITS;
}

/** Whole Unix seconds that every tar can express; times that make no sense become the nearest one that does. */
export function keptMtime(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.floor(seconds), 0), MAX_MTIME) : 0;
}

/**
 * Refuses a tree in which a symlink leads out of it: by an absolute target, by '..', or by way of other symlinks.
 * @param tree all entries by path
 * @throws PackageError naming the first such link
 */
export function checkSymlinks(tree: ReadonlyMap<string, ManifestEntry>): void {
  for (const entry of tree.values()) {
    if (entry.type === 'symlink') checkSymlink(entry.path, entry.target, tree);
  }
}

function checkSymlink(path: string, target: string, tree: ReadonlyMap<string, ManifestEntry>): void {
  if (target === '') throw refusal(path, 'a symlink without target');
  if (CONTROL_CHARACTER.test(target)) throw refusal(path, 'the target of a symlink contains a control character');
  if (target.includes('\ufffd')) throw refusal(path, 'the target of a symlink is not UTF-8');
  let at = parentOf(path);
  let followed = 1;
  const todo = targetParts(path, target);
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at === '') throw refusal(path, `a symlink leads out of the tree: ${target}`);
      at = parentOf(at);
      continue;
    }
    at = at === '' ? part : `${at}/${part}`;
    const next = tree.get(at);
    if (next?.type !== 'symlink') continue;
    followed += 1;
    if (followed > MAX_LINKS_FOLLOWED) throw refusal(path, 'symlinks lead in a circle');
    todo.push(...targetParts(path, next.target));
    at = parentOf(at);
  }
}

/** Components of a target, the last one first. */
function targetParts(path: string, target: string): string[] {
  if (target.startsWith('/')) throw refusal(path, `a symlink with an absolute target: ${target}`);
  return target.split('/').reverse();
}
