import { compareLabels, labelOf, newestLabel } from '@rexdeploy/shared/deployments/release-label';
import type { InstancePlan, Side } from '@rexdeploy/shared/journal/events';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { guard, guardFoundSchema } from '../steps/guard.js';
import { switchRelease } from '../steps/switch.js';
import type { History } from './history.js';
import { type Look, linkedLabel, planBasics, planKept, present, whatItHas } from './look-releases.js';

/** What an instance had before its newest record. */
export interface Former {
  /** The deployment that tells. */
  target: string;
  /** What that deployment brought; only while it is linked, where nothing was recorded. */
  made: string;
  recorded: boolean;
  /** Absent when nothing was there. */
  program?: string | undefined;
  config?: string | undefined;
}

/** What the newest records of instances tell; roll-backs count too, so that a second one returns to what was left. */
export async function findFormers(history: History, keys: readonly string[]): Promise<Map<string, Former[]>> {
  const formers = new Map<string, Former[]>();
  const open = new Set(keys);
  for await (const state of history.deployments()) {
    for (const key of open) {
      const former = formerBy(state, key);
      if (former === undefined) continue;
      formers.set(key, [...(formers.get(key) ?? []), former]);
      if (former.recorded) open.delete(key);
    }
    if (open.size === 0) break;
  }
  return formers;
}

function formerBy(state: DeploymentState, key: string): Former | undefined {
  const instance = state.instances[key];
  const suffix = state.plan?.suffix ?? '';
  if (instance === undefined || state.request.dryRun || instance.takenBack === true) return undefined;
  const { record } = instance;
  if (record !== undefined) {
    const { program, config } = record;
    return { target: state.id, made: program.after, recorded: true, program: program.real, config: config?.real };
  }
  // Left on the way, on purpose or because it could not be brought back: there is no record, and yet it was switched.
  const switched = instance.steps.find(({ step }) => step === switchRelease.name);
  const found = guardFoundSchema.safeParse(instance.steps.find(({ step }) => step === guard.name)?.found);
  const plan = state.plan?.instances.find((row) => row.instance === key);
  if (switched === undefined || switched.status === 'undone' || !found.success || plan === undefined) return undefined;
  return {
    target: state.id,
    made: plan.programRelease,
    recorded: false,
    program: placeAfter(found.data.program, suffix),
    config: found.data.config === undefined ? undefined : placeAfter(found.data.config, suffix),
  };
}

/** Where what stood there lies after a switch: a plain directory has made way. */
const placeAfter = (side: Side, suffix: string): string | undefined =>
  side.kind === 'directory' ? `${side.path}_${suffix}_before` : side.real;

/** Directories that a former release may lie in, to ask the host about. */
export const placesOf = (formers: readonly Former[] = []): string[] =>
  formers.flatMap(({ program, config }) => [program, config].filter((path) => path !== undefined));

/**
 * The plans that bring instances to their former releases: what the record tells; without one, the newest release older
 * than the linked one that all of those without a record still have.
 * @returns plans, and one line for each instance that has nothing to go back to
 */
export function planFormers(
  looks: ReadonlyMap<string, Look>,
  formers: ReadonlyMap<string, readonly Former[]>,
): { plans: InstancePlan[]; faults: string[] } {
  const plans: InstancePlan[] = [];
  const faults: string[] = [];
  const [recorded, unknown]: [Look[], Look[]] = [[], []];
  for (const [key, look] of looks) (usable(look, formers.get(key)) === undefined ? unknown : recorded).push(look);
  const label = commonOlder(unknown);
  for (const look of looks.values()) {
    const plan = unknown.includes(look)
      ? label === undefined
        ? undefined
        : planKept(look, label)
      : planRecorded(look, usable(look, formers.get(look.instance.key)));
    if (plan !== undefined) plans.push(plan);
    else faults.push(explain(look, usable(look, formers.get(look.instance.key)), unknown));
  }
  return { plans, faults };
}

/** A deployment that recorded nothing tells only while what it brought is linked. */
const usable = ({ releases: { program } }: Look, formers: readonly Former[] = []): Former | undefined =>
  formers.find(
    ({ recorded, made }) =>
      recorded || made === program.real || program.kept.some(({ linked, path }) => linked && path === made),
  );

function planRecorded({ instance, releases }: Look, former: Former | undefined): InstancePlan | undefined {
  if (former?.program === undefined || !releases.there.has(former.program)) return undefined;
  const config = former.config !== undefined && releases.there.has(former.config) ? former.config : undefined;
  const label = labelOf(former.program, instance.programDir);
  const manifest = releases.program.kept.find((kept) => kept.label === label)?.meta?.manifest;
  return { ...planBasics(instance), ...present(former.program, config), manifest, target: former.target };
}

/** The newest label older than what is linked on each. */
function commonOlder(looks: readonly Look[]): string | undefined {
  const [first, ...others] = looks.map((look) => {
    const linked = linkedLabel(look);
    const labels = look.releases.program.kept.map(({ label }) => label);
    return linked === undefined ? [] : labels.filter((label) => compareLabels(label, linked) < 0);
  });
  return newestLabel((first ?? []).filter((label) => others.every((labels) => labels.includes(label))));
}

function explain(look: Look, former: Former | undefined, unknown: readonly Look[]): string {
  const { key } = look.instance;
  if (former?.program !== undefined)
    return `${key} had ${former.program}, which is no longer there: ${whatItHas(look)}`;
  if (former !== undefined) return `(${key})--have not deploy record: nothing was there before ${former.made}`;
  const others = unknown.filter((other) => other !== look).map(({ instance }) => instance.key);
  const too = others.length === 0 ? '' : ` that ${others.join(' ')} has too`;
  return `(${key})--have not deploy record, and no release older than the linked one${too}: ${whatItHas(look)}`;
}
