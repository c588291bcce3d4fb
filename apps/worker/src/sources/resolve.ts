import { PackageError } from '@rexdeploy/shared/errors/deployment-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { exclude } from '@rexdeploy/store/exclude';
import { fileCount, type Manifest, totalSize } from '@rexdeploy/store/manifest';
import type { PackageRecord } from '@rexdeploy/store/packages';
import type { RolloutContext } from '../rollout/context.js';
import { resolveAgain } from './again.js';
import { downloadPackage } from './download.js';
import { pullEnvironment } from './environment.js';

/** What a deployment brings. `origin` is for people. */
interface Resolved {
  program?: string | undefined;
  origin: string;
}

/**
 * Fetches the package into the store, once for all instances, and journals what it is. No host of the roll-out has been
 * touched by then. @throws PackageError naming what cannot be had
 */
export async function resolvePackage(context: RolloutContext): Promise<void> {
  const { journal, store } = context;
  if (journal.state.package !== undefined) return;
  const { request } = journal.state;
  if (request.source.kind === 'release') return resolveAgain(context, request.source.to);
  const { program, origin } = await resolveSource(context, request.source);
  const configs = await pendingConfigs(context, request);
  if (program === undefined && Object.keys(configs).length === 0) {
    throw new PackageError({ where: origin, what: 'brings neither a program nor a configuration for these instances' });
  }
  const tree: Manifest = program === undefined ? { entries: [] } : await store.manifests.load(program);
  await journal.append({
    type: 'package-resolved',
    program,
    configs,
    origin,
    files: fileCount(tree),
    size: totalSize(tree),
  });
}

async function resolveSource(context: RolloutContext, source: DeployRequest['source']): Promise<Resolved> {
  switch (source.kind) {
    case 'senv':
      return save(context, await pullEnvironment(context, source.environment), `environment ${source.environment}`);
    case 'url': {
      const address = (await context.findAddress()) ?? source.url;
      return { program: await downloadPackage(context, address, source.sha256), origin: source.url };
    }
    case 'package': {
      const record = await findPackage(context, source.package);
      return { program: record.kind === 'program' ? record.manifest : undefined, origin: `package ${record.id}` };
    }
    case 'release':
    case 'none':
      throw new RexError({ what: `${source.kind} is no source of a package` });
  }
}

async function save({ store, name }: RolloutContext, tree: Manifest, origin: string): Promise<Resolved> {
  const kept = exclude(tree, name.exclude);
  if (kept.entries.length === 0) throw new PackageError({ where: origin, what: 'holds no files to deploy' });
  return { program: await store.manifests.save(kept), origin };
}

async function findPackage({ store }: RolloutContext, id: string): Promise<PackageRecord> {
  const record = await store.packages.get(id);
  if (record !== undefined) return record;
  throw new PackageError({ where: id, what: 'the package is no longer in the store', whatToDo: 'upload it again' });
}

/** The newest uploaded configuration of each instance, or the one that the request names. */
async function pendingConfigs(
  { store, name }: RolloutContext,
  request: DeployRequest,
): Promise<Record<string, { package: string; manifest: string }>> {
  const configs: Record<string, { package: string; manifest: string }> = {};
  const named = request.source.kind === 'package' ? await store.packages.get(request.source.package) : undefined;
  for (const key of request.batches.flat()) {
    const instance = name.instances.get(key);
    if (instance?.configDir === undefined && instance?.configInside === undefined) continue;
    const own = named?.kind === 'config' && named.instance === key ? named : undefined;
    const record = own ?? (await store.packages.newest(name.k, 'config', key));
    if (record !== undefined) configs[key] = { package: record.id, manifest: record.manifest };
  }
  return configs;
}
