import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { type Manifest, type ManifestEntry, makeManifest } from '@rexdeploy/store/manifest';

/** One entry of a tree as its host lists it; `mtime` is exact there, so a fraction tells of a change by hand. */
export interface ListedEntry {
  type: 'file' | 'dir' | 'symlink';
  path: string;
  mode: number;
  size: number;
  /** Unix seconds as text, e.g. `1700000000.0000000000`. */
  mtime: string;
  target: string;
}

const TYPES: Readonly<Record<string, ListedEntry['type']>> = { f: 'file', d: 'dir', l: 'symlink' };

/**
 * Reads the answer of list-tree.sh.
 * @returns the entries, and the digests by path where the listing was asked to hash
 * @throws PackageError for a socket, device or pipe, naming it
 */
export function parseListing(answer: string): { entries: ListedEntry[]; digests: Map<string, string> } {
  const fields = answer.split('\0');
  const entries: ListedEntry[] = [];
  let at = 0;
  for (; at + 2 < fields.length && fields[at] !== ''; at += 3) {
    const [letter = '', mode = '', size = '', mtime = ''] = (fields[at] ?? '').split(' ');
    const path = fields[at + 1] ?? '';
    const type = TYPES[letter];
    if (type === undefined) {
      throw new PackageError({ where: path, what: `is neither file, directory nor symlink (type ${letter})` });
    }
    entries.push({
      type,
      path,
      mode: Number.parseInt(mode, 8),
      size: type === 'file' ? Number(size) : 0,
      mtime,
      target: fields[at + 2] ?? '',
    });
  }
  const digests = new Map<string, string>();
  for (const line of fields.slice(at + 1)) {
    if (line !== '') digests.set(line.slice(66), line.slice(0, 64));
  }
  return { entries, digests };
}

/** A manifest of a listing that was hashed. @throws PackageError for a file that vanished meanwhile, and names that are no text */
export function manifestOf(entries: readonly ListedEntry[], digests: ReadonlyMap<string, string>): Manifest {
  return makeManifest(entries.map((entry) => toEntry(entry, digests)));
}

/** What bytes become that are no UTF-8. */
const NO_TEXT = '\ufffd';

function toEntry(listed: ListedEntry, digests: ReadonlyMap<string, string>): ManifestEntry {
  const { path, mode, size } = listed;
  if (path.includes(NO_TEXT) || listed.target.includes(NO_TEXT)) {
    throw new PackageError({
      where: path,
      what: 'its name, or where it links to, is no UTF-8',
      whatToDo: 'rename it (e.g. convmv -f gbk -t utf8 --notest), or add it to `exclude`',
    });
  }
  const mtime = Math.max(0, Math.floor(Number(listed.mtime)));
  if (listed.type === 'dir') return { path, type: 'dir', mode, size: 0, mtime };
  if (listed.type === 'symlink') return { path, type: 'symlink', mode, size: 0, mtime, target: listed.target };
  const sha256 = digests.get(path);
  if (sha256 === undefined) throw new PackageError({ where: path, what: 'changed while it was being read' });
  return { path, type: 'file', mode, size, mtime, sha256 };
}
