/** At a time, of what costs a host next to nothing: a look, a lock given back. Bulk goes by `transfer.parallel`. */
export const LIGHT_PARALLEL = 16;

/**
 * Runs `work` for each item, at most `limit` at a time. After a failure none is begun any more, those under way are
 * followed to their end, and the first error is thrown.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && errors.length === 0; item = queue.shift()) {
      await work(item).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (errors.length > 0) throw errors[0];
}
