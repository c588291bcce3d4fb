import { madeLabel } from '@rexdeploy/shared/deployments/history';
import { labelOf, newestLabel } from '@rexdeploy/shared/deployments/release-label';
import { RolloutError } from '@rexdeploy/shared/errors/deployment-errors';
import type { InstancePlan, NewEvent } from '@rexdeploy/shared/journal/events';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import type { RolloutContext } from './context.js';
import { findFormers, placesOf, planFormers } from './former.js';
import {
  findAilment,
  isLinked,
  type Look,
  linkedLabel,
  lookAtReleases,
  planBasics,
  planKept,
  refuseAll,
  whatItHas,
} from './look-releases.js';

type Looks = ReadonlyMap<string, Look>;

/**
 * The plan that brings a mixed fleet to one release. Only instances that differ, or that do not serve, are touched: those
 * that do not serve first, one after another. What lacks the release gets it from the store, under its own name.
 * @param to `newest`, `former`, or a label
 * @throws RolloutError naming every instance that can not get it
 */
export async function planConverge(context: RolloutContext, to: string, suffix: string): Promise<NewEvent[]> {
  const { history, journal } = context;
  const formers =
    to === 'former' ? await findFormers(history, journal.state.request.batches.flat()) : new Map<string, never>();
  const looks = await lookAtReleases(context, (key) => placesOf(formers.get(key)));
  const label =
    to === 'former' ? commonFormer(looks, formers) : to === 'newest' ? await newestGood(context, looks) : to;
  const plans = await planAll(context, looks, label);

  const events: NewEvent[] = [];
  const instances: InstancePlan[] = [];
  const [ailing, well]: [string[], string[]] = [[], []];
  const ailments = new Map(
    await Promise.all([...looks].map(async ([key, look]) => [key, await findAilment(context, look)] as const)),
  );
  for (const [key, look] of looks) {
    const plan = plans.get(key);
    if (plan === undefined) continue;
    const ailment = ailments.get(key);
    const unchanged = plan.present === true && isLinked(look, plan) && ailment === undefined ? true : undefined;
    instances.push({ ...plan, unchanged });
    if (unchanged !== true) (ailment === undefined ? well : ailing).push(key);
    const why = ailment === undefined ? '' : ` (${ailment})`;
    const placed = plan.present === true ? '' : ', which is placed there first';
    const message = unchanged === true ? `runs ${label} already` : `is brought to ${label}${placed}${why}`;
    events.push({ type: 'log', level: 'info', instance: key, message });
  }
  return [{ type: 'planned', suffix, instances, batches: [...ailing, ...well].map((key) => [key]) }, ...events];
}

/** What the instances on the newest release had before it. */
function commonFormer(looks: Looks, formers: Parameters<typeof planFormers>[1]): string {
  const newest = newestLabel([...looks.values()].map(linkedLabel).filter((label) => label !== undefined));
  const leading = new Map([...looks].filter(([, look]) => linkedLabel(look) === newest));
  const { plans, faults } = planFormers(leading, formers);
  refuseAll(faults, 'name a release with to=');
  const places = plans.map(({ instance, programRelease, programDir }) => ({
    instance,
    programRelease,
    label: labelOf(programRelease, programDir),
  }));
  const [label, ...others] = new Set(places.map((place) => place.label));
  if (label !== undefined && others.length === 0) return label;
  const had = places.map(({ instance, programRelease }) => `${instance} had ${programRelease}`).join(', ');
  throw new RolloutError({
    what: `there is no one former release: ${had}; nothing was touched`,
    whatToDo: 'name a release with to=',
  });
}

/**
 * The newest release on any host that a deployment brought into use. One that no deployment made, because nothing of it is
 * known any more, counts where it is linked.
 */
async function newestGood({ history }: RolloutContext, looks: Looks): Promise<string> {
  const [good, made] = [new Set<string>(), new Set<string>()];
  for await (const state of history.deployments()) {
    for (const label of labelsMade(state)) made.add(label);
    for (const key of Object.keys(state.instances)) {
      const label = madeLabel(state, key);
      if (label !== undefined) good.add(label);
    }
  }
  const candidates = [...looks.values()].flatMap((look) => [
    ...look.releases.program.kept.filter(({ label, linked }) => good.has(label) || (linked && !made.has(label))),
  ]);
  const label = newestLabel(candidates.map((kept) => kept.label));
  if (label !== undefined) return label;
  throw new RolloutError({
    what: `no instance has a release that is known to be good: ${[...looks.values()].map(whatItHas).join('; ')}`,
    whatToDo: 'name a release with to=',
  });
}

const labelsMade = ({ plan }: DeploymentState): string[] =>
  (plan?.instances ?? []).flatMap(({ present, programRelease, programDir }) => {
    const label = present === true ? undefined : labelOf(programRelease, programDir);
    return label === undefined ? [] : [label];
  });

/** @throws RolloutError naming every instance that has the release neither on its host nor in the store */
async function planAll(context: RolloutContext, looks: Looks, label: string): Promise<Map<string, InstancePlan>> {
  const plans = new Map<string, InstancePlan>();
  const faults: string[] = [];
  let known: Map<string, string> | undefined;
  for (const [key, look] of looks) {
    let plan = planKept(look, label);
    if (plan === undefined) {
      known ??= await findManifests(context, looks, label);
      const manifest = known.get(key) ?? [...known.values()][0];
      if (manifest !== undefined && (await context.store.manifests.has(manifest))) {
        plan = planPlaced(look, label, manifest);
      }
    }
    if (plan === undefined)
      faults.push(`${key} has no release ${label}, and the store does not either: ${whatItHas(look)}`);
    else plans.set(key, plan);
  }
  refuseAll(faults, 'deploy that version again, or give a release with to= that all have');
  return plans;
}

function planPlaced({ instance, releases }: Look, label: string, manifest: string): InstancePlan {
  const config = releases.config?.kept.find((kept) => kept.label === label)?.path;
  const configPresent = config === undefined ? undefined : true;
  const programRelease = `${instance.programDir}_${label}`;
  return { ...planBasics(instance), programRelease, configRelease: config, configPresent, manifest };
}

/** Manifests of a release by instance: what deployments recorded, and what lies beside it on the hosts that have it. */
async function findManifests({ history }: RolloutContext, looks: Looks, label: string): Promise<Map<string, string>> {
  const manifests = new Map<string, string>();
  for (const [key, { releases }] of looks) {
    const manifest = releases.program.kept.find((kept) => kept.label === label)?.meta?.manifest;
    if (manifest !== undefined) manifests.set(key, manifest);
  }
  for await (const state of history.deployments()) {
    for (const [key, { record }] of Object.entries(state.instances)) {
      if (record?.manifest === undefined || labelOf(record.program.after, record.program.path) !== label) continue;
      if (!manifests.has(key)) manifests.set(key, record.manifest);
    }
  }
  return manifests;
}
