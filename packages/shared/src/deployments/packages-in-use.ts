import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Keys } from '../redis/keys.js';

/** As far as it matters here, whatever version wrote it. */
const acceptedSchema = z.looseObject({ request: z.looseObject({ source: z.looseObject({ package: z.string() }) }) });

/** Uploaded packages that deployments which have not ended were accepted with. */
export async function packagesInUse(redis: Redis, keys: Keys): Promise<Set<string>> {
  const packages = new Set<string>();
  for (const id of await redis.smembers(keys.open)) {
    // The request stands in the first entry.
    for (const [, [, event = '']] of await redis.xrange(keys.journal(id), '-', '+', 'COUNT', 1)) {
      const accepted = acceptedSchema.safeParse(JSON.parse(event));
      if (accepted.success) packages.add(accepted.data.request.source.package);
    }
  }
  return packages;
}
