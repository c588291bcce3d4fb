import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { exclude } from '@rexdeploy/store/exclude';
import type { Manifest } from '@rexdeploy/store/manifest';
import { overlay } from '@rexdeploy/store/overlay';
import type { InstanceFacts } from '../hosts/inspect.js';
import type { InstanceContext } from '../rollout/context.js';
import { findBase } from './base.js';
import { EMPTY } from './delta.js';
import { mergeConfig, ownConfig, withoutConfig } from './merged.js';

/** What shall stand on an instance, and what stands there. */
export interface WantedTrees {
  /** The current program, as far as its contents are known. */
  base: Manifest;
  program: Manifest;
  /** Paths of the program whose content the deployment states; the others are as they happen to be. */
  stated: ReadonlySet<string>;
  /** What is laid over the configuration; `keepCurrent` = the present one lies below it. */
  config: { tree: Manifest; keepCurrent: boolean };
  /** Config package laid over with this deployment. */
  configPackage: string | undefined;
}

/**
 * `full=1` lays the package over the current release, `full=2` replaces it. The configuration is kept, unless a config
 * package was uploaded for the instance and not deployed to it yet. Where it is a part of the program's tree, it is laid
 * over whatever the package has there.
 */
export async function wantedTrees(context: InstanceContext, facts: InstanceFacts): Promise<WantedTrees> {
  const { journal, store, name, instance, signal } = context;
  const { request, package: resolved } = journal.state;
  const again = context.plan.manifest;
  if (again !== undefined) return wantedAgain(context, facts, again);
  const id = resolved?.program;
  const replace = request.full === '2' && id !== undefined;
  const transport = await context.host();
  const inside = instance.configInside;
  const whole = !replace || inside !== undefined;
  const query = { transport, store, side: facts.program, exclude: name.exclude, whole, signal };
  const base = await findBase(query);
  const all = id === undefined ? EMPTY : exclude(await store.manifests.load(id), name.exclude);
  // Of another environment comes the program alone.
  const sent = inside !== undefined && request.source.kind === 'senv' ? withoutConfig(all, inside) : all;
  const program = replace ? sent : overlay(base, sent);

  const pending = resolved?.configs[instance.key];
  const isNew = pending !== undefined && pending.package !== configPackageOf(instance, facts);
  const laid = isNew ? await store.manifests.load(pending.manifest) : undefined;
  const configPackage = isNew ? pending.package : undefined;
  const alone = isNew && request.full === '2';
  if (inside === undefined) {
    const config = { tree: laid ?? EMPTY, keepCurrent: !alone };
    return { base, program, stated: new Set(sent.entries.map(({ path }) => path)), config, configPackage };
  }
  const config = ownConfig(base, inside, laid, alone, name.exclude);
  const kept = new Set(laid === undefined ? config.entries.map(({ path }) => path) : []);
  return {
    base,
    program: mergeConfig(alone ? withoutConfig(program, inside) : program, config),
    stated: new Set([...sent.entries, ...config.entries].flatMap(({ path }) => (kept.has(path) ? [] : path))),
    config: { tree: EMPTY, keepCurrent: true },
    configPackage,
  };
}

/** A release that is placed again is what it was, whole; of the package that it came from nothing is known any more. */
async function wantedAgain(context: InstanceContext, facts: InstanceFacts, id: string): Promise<WantedTrees> {
  const { store, name, signal } = context;
  const query = { store, side: facts.program, exclude: name.exclude, whole: true, signal };
  const base = await findBase({ ...query, transport: await context.host() });
  const program = await store.manifests.load(id);
  const stated = new Set(program.entries.map(({ path }) => path));
  return { base, program, stated, config: { tree: EMPTY, keepCurrent: true }, configPackage: undefined };
}

/** The config package that was laid over last, wherever the instance has its configuration. */
export const configPackageOf = (instance: ResolvedInstance, facts: InstanceFacts): string | undefined =>
  (instance.configInside === undefined ? facts.config : facts.program)?.meta?.package;
