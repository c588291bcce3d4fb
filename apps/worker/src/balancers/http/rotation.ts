import type { HttpSection } from '@rexdeploy/shared/config/balancer';
import type { Rotation } from '../balancer.js';

type Patterns = Pick<HttpSection['look'], 'in' | 'out' | 'weight'>;

/** A weight is shown and sent again, so it must be nothing but one. */
const WEIGHT = /^[\w.%-]{1,32}$/;

/** What an answer means, or why it means nothing. */
export function readRotation(answer: string, patterns: Patterns): Rotation | { problem: string } {
  const found = (pattern: string): boolean => new RegExp(pattern).test(answer);
  const isIn = found(patterns.in);
  if (patterns.out !== undefined && found(patterns.out) === isIn) {
    return {
      problem: `the answer holds ${isIn ? 'both' : 'neither'} \`look.in\` ${isIn ? 'and' : 'nor'} \`look.out\``,
    };
  }
  const word = isIn ? 'in' : 'out';
  if (patterns.weight === undefined) return { in: isIn, exact: word };
  const weight = new RegExp(patterns.weight).exec(answer)?.[1];
  if (weight === undefined || !WEIGHT.test(weight)) return { problem: 'the answer holds no `look.weight`' };
  return { in: isIn, exact: `${word} weight=${weight}` };
}

/** The weight in a state that was found; undefined when it has none. */
export const weightOf = (exact: string): string | undefined => /^(?:in|out) weight=(\S+)$/.exec(exact)?.[1];
