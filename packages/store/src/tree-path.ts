/** Paths inside a tree: relative, '/'-separated, without '.', '..' or empty components. */

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** Is `path` the canonical form of a path inside a tree? The root itself has no path. */
export function isTreePath(path: string): boolean {
  if (path.includes('\0')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** The path of the directory that holds `path`; `''` is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** Every directory above `path`, the nearest first, without the root. */
export function* ancestorsOf(path: string): Generator<string> {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) yield parent;
}

/**
 * Order of the UTF-8 bytes of two paths, as `LC_ALL=C sort` has it: negative, 0 or positive. JavaScript's own order
 * differs from it, because surrogate pairs stand below U+E000 there.
 */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return bytewiseRank(left) - bytewiseRank(right);
  }
  return a.length - b.length;
}

/** Moves surrogates (code points from U+10000) behind all other code units. */
function bytewiseRank(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x10000 : unit;
}
