import { PackageError, PackageTooLargeError } from '@rexdeploy/shared/errors/deployment-errors';
import { humanSize } from '@rexdeploy/shared/units';
import type { Digest } from '../blobs.js';
import { IMPLICIT_DIR_MODE, type Manifest, type ManifestEntry, makeManifest } from '../manifest.js';
import { checkSymlinks, keptMode, keptMtime, refusal, treePath } from '../path-rules.js';
import { ancestorsOf } from '../tree-path.js';

/** Entry lists are kept in memory, some hundred bytes an entry, so their length must have an end. */
const MAX_ENTRIES = 500_000;

/** What an archive states of an entry: `mtime` in Unix seconds, `mode` as stat(2) has it. */
export interface StatedEntry {
  readonly name: string;
  readonly mode: number;
  readonly mtime: number;
}

type Found =
  | { readonly type: 'file'; readonly mode: number; readonly mtime: number; readonly size: number; sha256?: string }
  | { readonly type: 'dir'; readonly mode: number; readonly mtime: number }
  | { readonly type: 'symlink'; readonly mtime: number; readonly target: string }
  | { readonly type: 'hardlink'; readonly to: string };

/** Grows a tree from an archive's entries in their order and refuses what must not be unpacked. */
export class TreeBuilder {
  readonly #format: 'tar' | 'zip';
  readonly #maxBytes: number;
  readonly #found = new Map<string, Found>();
  #bytes = 0;

  /** @param maxBytes limit on the sum of the files' sizes */
  constructor(format: 'tar' | 'zip', maxBytes: number) {
    this.#format = format;
    this.#maxBytes = maxBytes;
  }

  /** Entries seen so far, directories that were only implied included. */
  get entryCount(): number {
    return this.#found.size;
  }

  /** A directory; stating the same one again is common (`tar -cf x.tar . ./a`) and the last statement stands. */
  addDir({ name, mode, mtime }: StatedEntry): void {
    const path = treePath(name, this.#format);
    if (path === '') return;
    const before = this.#found.get(path);
    if (before !== undefined && before.type !== 'dir') throw conflict(name, before);
    this.#put(name, path, { type: 'dir', mode: keptMode(mode), mtime: keptMtime(mtime) });
  }

  /**
   * A file whose content follows.
   * @returns its path, for {@link TreeBuilder.setContent}
   */
  addFile({ name, mode, mtime }: StatedEntry, size: number): string {
    const path = this.#newPath(name);
    this.#count(name, size);
    this.#put(name, path, { type: 'file', mode: keptMode(mode), mtime: keptMtime(mtime), size });
    return path;
  }

  /** Tells the content of a file that was added. */
  setContent(path: string, { sha256, size }: Digest): void {
    const file = this.#found.get(path);
    if (file?.type !== 'file' || file.size !== size)
      throw refusal(path, `its content has ${size} bytes, not as stated`);
    file.sha256 = sha256;
  }

  addSymlink({ name, mtime }: StatedEntry, target: string): void {
    const path = this.#newPath(name);
    this.#put(name, path, { type: 'symlink', mtime: keptMtime(mtime), target });
  }

  /** A hard link; it becomes a copy of the entry that it names, which must have come before. */
  addHardLink(name: string, targetName: string): void {
    const path = this.#newPath(name);
    const to = treePath(targetName, this.#format);
    const original = this.#found.get(to);
    if (original === undefined) throw refusal(name, `a hard link to an entry that is not there: ${targetName}`);
    if (original.type === 'dir') throw refusal(name, `a hard link to a directory: ${targetName}`);
    const final = original.type === 'hardlink' ? original.to : to;
    const file = this.#found.get(final);
    if (file?.type === 'file') this.#count(name, file.size);
    this.#put(name, path, { type: 'hardlink', to: final });
  }

  /**
   * The finished tree.
   * @throws PackageError for a tree without entries, and for symlinks that lead out of it
   */
  finish(): Manifest {
    if (this.#found.size === 0) throw new PackageError({ what: 'empty archive' });
    const manifest = makeManifest([...this.#found.keys()].map((path) => this.#entry(path, path)));
    checkSymlinks(new Map(manifest.entries.map((entry) => [entry.path, entry])));
    return manifest;
  }

  #entry(path: string, from: string): ManifestEntry {
    const found = this.#found.get(from);
    switch (found?.type) {
      case 'hardlink':
        return this.#entry(path, found.to);
      case 'dir':
        return { path, type: 'dir', mode: found.mode, size: 0, mtime: found.mtime };
      case 'symlink':
        return { path, type: 'symlink', mode: 0o777, size: 0, mtime: found.mtime, target: found.target };
      case 'file': {
        const { mode, size, mtime, sha256 } = found;
        if (sha256 !== undefined) return { path, type: 'file', mode, size, mtime, sha256 };
      }
    }
    throw refusal(path, 'its content is missing');
  }

  #newPath(name: string): string {
    const path = treePath(name, this.#format);
    if (path === '') throw refusal(name, 'the root of the tree must be a directory');
    const before = this.#found.get(path);
    if (before !== undefined) throw conflict(name, before);
    return path;
  }

  #put(name: string, path: string, found: Found): void {
    this.#implyParents(name, path, found);
    this.#found.set(path, found);
    if (this.#found.size > MAX_ENTRIES) throw new PackageTooLargeError({ what: `more than ${MAX_ENTRIES} entries` });
  }

  #implyParents(name: string, path: string, found: Found): void {
    const mtime = found.type === 'hardlink' ? 0 : found.mtime;
    for (const ancestor of ancestorsOf(path)) {
      const parent = this.#found.get(ancestor);
      if (parent?.type === 'dir') return;
      if (parent !== undefined) throw refusal(name, `lies below ${ancestor}, which is a ${parent.type}`);
      this.#found.set(ancestor, { type: 'dir', mode: IMPLICIT_DIR_MODE, mtime });
    }
  }

  #count(name: string, size: number): void {
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes, name);
  }
}

/** The error for content beyond the limit. */
export function tooLarge(maxBytes: number, name?: string): PackageTooLargeError {
  return new PackageTooLargeError({
    where: name,
    what: `unpacked it is larger than ${humanSize(maxBytes)}`,
    whatToDo: 'raise packages.max_bytes or make the package smaller',
  });
}

function conflict(name: string, before: Found): PackageError {
  return refusal(name, `the archive already has a ${before.type === 'dir' ? 'directory' : before.type} of this path`);
}
