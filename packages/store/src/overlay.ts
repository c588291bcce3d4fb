import type { Manifest, ManifestEntry } from './manifest.js';
import { memoOfTwo } from './memo.js';
import { ancestorsOf, comparePaths } from './tree-path.js';

/**
 * The tree that results when `pkg` is laid over `base`. Where both have a path, the package's entry stands. A file or
 * symlink of the package removes what `base` had below that path; a directory of the package replaces a file or
 * symlink of `base`.
 */
export const overlay = memoOfTwo((base: Manifest, pkg: Manifest): Manifest => {
  const laid = new Map(pkg.entries.map((entry) => [entry.path, entry.type]));
  const kept = base.entries.filter((entry) => !laid.has(entry.path) && !isBuried(entry.path, laid));
  return { entries: [...kept, ...pkg.entries].sort((a, b) => comparePaths(a.path, b.path)) };
});

function isBuried(path: string, laid: ReadonlyMap<string, ManifestEntry['type']>): boolean {
  for (const ancestor of ancestorsOf(path)) {
    const type = laid.get(ancestor);
    if (type === 'file' || type === 'symlink') return true;
  }
  return false;
}
