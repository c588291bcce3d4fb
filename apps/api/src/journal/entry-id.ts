/** Ids of stream entries: `<milliseconds>-<number>`. */
export const ENTRY_ID = /^\d{1,15}-\d{1,15}$/;

/** Does entry `a` come after entry `b`? */
export function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs > bMs || (aMs === bMs && aSeq > bSeq);
}
