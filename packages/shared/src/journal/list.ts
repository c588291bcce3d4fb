import type { Leaves } from '../api/leaves.js';

/** A documented list: an object with keys "0", "1", … */
export const list = <T extends Leaves>(items: readonly T[]): Record<string, T> =>
  Object.fromEntries(items.map((item, index) => [String(index), item]));
