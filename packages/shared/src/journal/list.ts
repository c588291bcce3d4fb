import type { Leaves } from '../api/envelope-schema.js';

/** A documented list: an object with keys "0", "1", … */
export const list = (items: readonly Leaves[]): Leaves =>
  Object.fromEntries(items.map((item, index) => [String(index), item]));
