import { exclude } from '@rexdeploy/store/exclude';
import { type Manifest, type ManifestEntry, makeManifest } from '@rexdeploy/store/manifest';
import { overlay } from '@rexdeploy/store/overlay';

/** Trees whose configuration is a part of the program, at a path inside of it (`is_deloy_dir: 1`). */

const isAt = (path: string, inside: string): boolean => path === inside || path.startsWith(`${inside}/`);

/** The tree without its configuration. */
export const withoutConfig = (tree: Manifest, inside: string): Manifest => ({
  entries: tree.entries.filter(({ path }) => !isAt(path, inside)),
});

/**
 * The instance's own configuration as it shall stand, with the paths that it has in the program.
 * @param current the present program
 * @param pending an uploaded configuration, with paths of its own
 * @param replace the pending one stands alone
 */
export function ownConfig(
  current: Manifest,
  inside: string,
  pending: Manifest | undefined,
  replace: boolean,
  globs: readonly string[],
): Manifest {
  const own = { entries: current.entries.filter(({ path }) => isAt(path, inside)) };
  if (pending === undefined) return own;
  const placed = pending.entries.map((entry): ManifestEntry => ({ ...entry, path: `${inside}/${entry.path}` }));
  const laid = exclude({ entries: placed }, globs);
  return replace ? laid : overlay(own, laid);
}

/** The program with the configuration in it, which stands where both have a path. */
export function mergeConfig(program: Manifest, config: Manifest): Manifest {
  if (config.entries.length === 0) return program;
  // The way to it: made where it is missing, and where the program has something else there.
  const ways = new Set(program.entries.flatMap(({ path, type }) => (type === 'dir' ? [path] : [])));
  const laid = makeManifest(config.entries).entries;
  const own = new Set(config.entries.map(({ path }) => path));
  return overlay(program, { entries: laid.filter(({ path }) => own.has(path) || !ways.has(path)) });
}
