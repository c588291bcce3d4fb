import type { ResolvedName } from '@rexdeploy/shared/config/resolved';
import { labelMeant } from '@rexdeploy/shared/deployments/release-label';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { quote } from '../params/received.js';

/**
 * The label of the release that `to` means; every instance has a directory of its own for it.
 * @param words what else the action takes
 * @throws ParameterError when it can not be the name of a release
 */
export function findRelease(to: string, name: ResolvedName, words: readonly string[] = []): string {
  if (words.includes(to)) return to;
  const dirs = [...name.instances.values()].map(({ programDir }) => programDir);
  const label = labelMeant(to, dirs);
  if (label !== undefined) return label;
  const ways = [...words, 'a stamp such as 20180530_043756', `a directory such as ${dirs[0]}_20180530_043756`];
  throw new ParameterError({ what: `to=${quote(to)}: expected ${ways.join(', or ')}` });
}
