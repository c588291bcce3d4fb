import type { Redis } from 'ioredis';
import { z } from 'zod';
import { readJournal } from '../journal/journal.js';
import { fold } from '../journal/reduce.js';
import type { DeploymentState } from '../journal/state.js';
import type { Keys } from '../redis/keys.js';
import { listHeads } from './list.js';

const stagedSchema = z.looseObject({ manifest: z.string() });

/**
 * Manifests that deployments still need: those of open ones, and of the newest of each name, whose releases lie on hosts.
 * @param rules how many of each name count, at least the releases that are kept there
 */
export async function manifestsInUse(
  redis: Redis,
  keys: Keys,
  rules: readonly { name: string; newest: number }[],
): Promise<Set<string>> {
  const ids = new Set(await redis.smembers(keys.open));
  for (const { name, newest } of rules) {
    // Jobs that only restart or weigh must not push the releases on the hosts out of sight.
    for (const { id } of await listHeads(redis, keys, { name, rollouts: true, limit: newest + 1 })) ids.add(id);
  }
  const manifests = new Set<string>();
  for (const id of ids) {
    const state = fold((await readJournal(redis, keys, id)).map(({ event }) => event));
    if (state !== undefined) for (const manifest of manifestsOf(state)) manifests.add(manifest);
  }
  return manifests;
}

function manifestsOf(state: DeploymentState): string[] {
  const staged = Object.values(state.instances).flatMap(({ steps }) =>
    steps.flatMap((step) => {
      const facts = stagedSchema.safeParse(step.facts);
      return facts.success ? [facts.data.manifest] : [];
    }),
  );
  const kept = (state.plan?.instances ?? []).flatMap(({ manifest }) => manifest ?? []);
  const configs = Object.values(state.package?.configs ?? {}).map(({ manifest }) => manifest);
  return [...(state.package?.program === undefined ? [] : [state.package.program]), ...configs, ...kept, ...staged];
}
