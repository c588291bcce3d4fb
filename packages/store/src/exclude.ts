import { compileGlob } from './glob.js';
import type { Manifest } from './manifest.js';
import { parentOf } from './tree-path.js';

/**
 * The manifest without what the patterns match; a directory that matches takes everything below it along.
 * @param globs patterns as `rsync --exclude` reads them, see {@link compileGlob}
 */
export function exclude(manifest: Manifest, globs: readonly string[]): Manifest {
  if (globs.length === 0) return manifest;
  const matchers = globs.map(compileGlob);
  const droppedDirs = new Set<string>();
  const entries = manifest.entries.filter((entry) => {
    const isDir = entry.type === 'dir';
    // A parent always stands before what it holds, so its fate is known here.
    const dropped = droppedDirs.has(parentOf(entry.path)) || matchers.some((matches) => matches(entry.path, isDir));
    if (dropped && isDir) droppedDirs.add(entry.path);
    return !dropped;
  });
  // The same object where nothing was left out: what is known of it already need not be found again.
  return entries.length === manifest.entries.length ? manifest : { entries };
}
