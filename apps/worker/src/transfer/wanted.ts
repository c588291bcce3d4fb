import { exclude } from '@rexdeploy/store/exclude';
import type { Manifest } from '@rexdeploy/store/manifest';
import { overlay } from '@rexdeploy/store/overlay';
import type { InstanceFacts } from '../hosts/inspect.js';
import type { InstanceContext } from '../rollout/context.js';
import { findBase } from './base.js';
import { EMPTY } from './delta.js';

/** What shall stand on an instance, and what stands there. */
export interface WantedTrees {
  /** The current program, as far as its contents are known. */
  base: Manifest;
  program: Manifest;
  /** What is laid over the configuration; `keepCurrent` = the present one lies below it. */
  config: { tree: Manifest; keepCurrent: boolean };
  /** Config package laid over with this deployment. */
  configPackage: string | undefined;
}

/**
 * `full=1` lays the package over the current release, `full=2` replaces it. The configuration is kept, unless a config
 * package was uploaded for the instance and not deployed to it yet.
 */
export async function wantedTrees(context: InstanceContext, facts: InstanceFacts): Promise<WantedTrees> {
  const { journal, store, name, instance, signal } = context;
  const { request, package: resolved } = journal.state;
  const id = resolved?.program;
  const replace = request.full === '2' && id !== undefined;
  const transport = await context.host();
  const query = { transport, store, side: facts.program, exclude: name.exclude, whole: !replace, signal };
  const base = await findBase(query);
  const sent = id === undefined ? EMPTY : exclude(await store.manifests.load(id), name.exclude);

  const pending = resolved?.configs[instance.key];
  const isNew = pending !== undefined && pending.package !== facts.config?.meta?.package;
  return {
    base,
    program: replace ? sent : overlay(base, sent),
    config: {
      tree: isNew ? await store.manifests.load(pending.manifest) : EMPTY,
      keepCurrent: !(isNew && request.full === '2'),
    },
    configPackage: isNew ? pending.package : undefined,
  };
}
