import { PassThrough } from 'node:stream';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import type { Manifest } from '@rexdeploy/store/manifest';
import { receiveTar } from '@rexdeploy/store/tree';
import { scripts } from '../hosts/remote-scripts.js';
import { hostOf, type RolloutContext } from '../rollout/context.js';
import { hashTree } from '../transfer/base.js';

/** Bytes must move within this time while a tree is being fetched. */
const IDLE_TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 6 * 3600_000;

/**
 * The program of the same name in another environment, from its first instance. Only contents that the store lacks are
 * fetched. @throws PackageError when it changed while it was being fetched
 */
export async function pullEnvironment(context: RolloutContext, environmentKey: string): Promise<Manifest> {
  const { store, signal } = context;
  const instance = sourceInstance(context, environmentKey);
  const transport = await hostOf(context, instance.host, instance.ssh);
  // Its configuration is its own, and nothing of it may leave it.
  const own = instance.configInside === undefined ? [] : [`/${instance.configInside.replace(/[\\*?[\]]/g, '\\$&')}`];
  const tree = await hashTree(transport, instance.programDir, [...context.name.exclude, ...own], signal);
  const missing = await missingFiles(context, tree);
  if (missing.size === 0) return tree;

  const tar = new PassThrough();
  const sent = transport.run(scripts.pack, [instance.programDir], {
    input: [...missing.keys()].map((path) => `${path}\0`).join(''),
    output: tar,
    signal,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    timeoutMs: FETCH_TIMEOUT_MS,
  });
  const [digests] = await Promise.all([receiveTar(tar, store.blobs, undefined, signal), sent]);
  for (const [path, sha256] of missing) {
    if (digests.get(path)?.sha256 !== sha256) {
      throw new PackageError({
        where: `${instance.host}:${instance.programDir}/${path}`,
        what: 'changed while it was being fetched',
        whatToDo: `deploy again when nobody writes to ${environmentKey}`,
      });
    }
  }
  return tree;
}

function sourceInstance(context: RolloutContext, environmentKey: string): ResolvedInstance {
  const name = context.config.environments.get(environmentKey)?.names.get(context.name.k);
  const [first] = name?.batches.flat() ?? [];
  const instance = first === undefined ? undefined : name?.instances.get(first);
  if (instance !== undefined) return instance;
  throw new PackageError({
    where: `environment ${environmentKey}`,
    what: `has no name ${context.name.k} any more`,
    whatToDo: `look at ${context.config.file}`,
  });
}

/** Path and digest of one file for each content that the store lacks. */
async function missingFiles({ store }: RolloutContext, tree: Manifest): Promise<Map<string, string>> {
  const known = new Map<string, boolean>();
  const missing = new Map<string, string>();
  for (const entry of tree.entries) {
    if (entry.type !== 'file' || known.has(entry.sha256)) continue;
    const has = await store.blobs.has(entry.sha256);
    known.set(entry.sha256, has);
    if (!has) missing.set(entry.path, entry.sha256);
  }
  return missing;
}
