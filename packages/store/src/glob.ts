/** Does a path of a tree match? `isDir` tells whether the path is a directory. */
export type PathMatcher = (path: string, isDir: boolean) => boolean;

/**
 * Compiles one pattern with the meaning it has in rsync(1), "PATTERN MATCHING RULES":
 * - `*` and `?` stop at '/', `**` does not; `[a-z]`, `[!a-z]`; `\` takes the next character literally
 * - without '/', the pattern is held against a name anywhere in the tree
 * - with a '/' inside, against the end of the path; with a leading '/', against the whole path
 * - with a trailing '/', it matches directories only
 */
export function compileGlob(glob: string): PathMatcher {
  const dirOnly = glob.endsWith('/');
  const body = dirOnly ? glob.slice(0, -1) : glob;
  const anchored = body.startsWith('/');
  const regex = new RegExp(`${anchored ? '^' : '(?:^|/)'}${toRegexSource(anchored ? body.slice(1) : body)}$`, 'su');
  return (path, isDir) => (isDir || !dirOnly) && regex.test(path);
}

function toRegexSource(glob: string): string {
  const tokens = /\*\*|\*|\?|\[([!^]?)(\]?[^\]]*)\]|\\(.)|(.)/gsu;
  return glob.replace(tokens, (token, negated?: string, set?: string, escaped?: string) => {
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (set !== undefined && set !== '') return `(?!/)[${negated === '' ? '' : '^'}${literalSet(set)}]`;
    return literal(escaped ?? token);
  });
}

/** Inside `[…]` only '-' keeps its meaning; one at either end is itself. */
function literalSet(set: string): string {
  return set.replace(/[\\\]^[]/g, '\\$&').replace(/^-|-$/g, '\\-');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
