import { basename, dirname } from 'node:path/posix';

/**
 * The label of a release is what its directory's name has more than the deployed directory: a stamp, `20180530_043756`, or
 * `20180530_043756_before` for a plain directory that made way then. All instances of a name call one release the same.
 */
const LABEL = /^\d{8}_\d{6}(?:_before)?$/;

export const isLabel = (text: string): boolean => LABEL.test(text);

/** The label of a release of `dir`; undefined for a directory that is none. */
export function labelOf(release: string, dir: string): string | undefined {
  const [name, prefix] = [basename(release), `${basename(dir)}_`];
  const label = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return isLabel(label) ? label : undefined;
}

/**
 * The label that people mean: itself, or the base name or the path of a release of one of these directories.
 * @returns undefined when it is none of these
 */
export function labelMeant(text: string, dirs: readonly string[]): string | undefined {
  if (isLabel(text)) return text;
  const of = dirs.find((dir) => (!text.includes('/') || dirname(text) === dirname(dir)) && labelOf(text, dir));
  return of === undefined ? undefined : labelOf(text, of);
}

/** Orders by age, the oldest first. What made way for a release is older than that. */
export function compareLabels(one: string, other: string): number {
  const age = (label: string): string => (label.endsWith('_before') ? label.slice(0, 15) : `${label}.`);
  return age(one) < age(other) ? -1 : age(one) > age(other) ? 1 : 0;
}

/** The newest of some labels; undefined for none. */
export const newestLabel = (labels: Iterable<string>): string | undefined => [...labels].toSorted(compareLabels).at(-1);
