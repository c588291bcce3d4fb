import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { fileCount, totalSize } from '@rexdeploy/store/manifest';
import { inspect } from '../hosts/inspect.js';
import { type InstanceContext, instanceContext, type RolloutContext } from '../rollout/context.js';
import { makeDelta } from '../transfer/delta.js';
import { wantedTrees } from '../transfer/wanted.js';

/**
 * A release that lies on hosts is no package. Where one has to be placed again, it is made sure that all of its contents
 * can be had: from what the instance has, or from the store. No host has been touched by then.
 * @throws PackageError naming the instance
 */
export async function resolveAgain(rollout: RolloutContext, to: string): Promise<void> {
  const { journal, store } = rollout;
  const plans = journal.state.plan?.instances ?? [];
  const again = plans.filter(({ present, manifest }) => present !== true && manifest !== undefined);
  const [first] = again;
  if (first?.manifest === undefined) return;
  for (const { instance } of again) await mustHaveAll(instanceContext(rollout, instance));
  const tree = await store.manifests.load(first.manifest);
  const origin = `release ${to} of the store`;
  const facts = { program: first.manifest, configs: {}, origin, files: fileCount(tree), size: totalSize(tree) };
  await journal.append({ type: 'package-resolved', ...facts });
}

async function mustHaveAll(context: InstanceContext): Promise<void> {
  const { instance, plan, journal, name, store, signal } = context;
  const options = { exclude: name.exclude, listing: true, signal };
  const facts = await inspect(await context.host(), instance, plan, journal.id, options);
  const { base, program } = await wantedTrees(context, facts);
  const missing: string[] = [];
  for (const { sha256, path } of makeDelta(base, program).send) {
    if (sha256 !== undefined && !(await store.blobs.has(sha256))) missing.push(path);
  }
  const [path] = missing;
  if (path === undefined) return;
  throw new PackageError({
    where: instance.host,
    what: `${instance.key} lacks ${plan.programRelease}, and ${missing.length} of its files are not in the store, e.g. ${path}; nothing was touched`,
    whatToDo: 'deploy that version again, or give a release with to= that all instances have',
  });
}
