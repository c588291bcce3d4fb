/** The `exclude` globs as the beginning of a `find` expression; what matches is passed over with all below it. */
export function findExclusions(globs: readonly string[]): string[] {
  if (globs.length === 0) return [];
  const tests = globs.flatMap((glob, index) => {
    const test = glob.includes('/') ? ['-path', `./${glob.replace(/^\/+/, '')}`] : ['-name', glob];
    return index === 0 ? test : ['-o', ...test];
  });
  return ['(', ...tests, ')', '-prune', '-o'];
}
