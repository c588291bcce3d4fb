import { findMakers } from '@rexdeploy/shared/deployments/history';
import { labelOf } from '@rexdeploy/shared/deployments/release-label';
import { messages } from '@rexdeploy/shared/errors/messages';
import type { InstancePlan, NewEvent } from '@rexdeploy/shared/journal/events';
import type { InstanceContext, RolloutContext } from './context.js';
import { findFormers, placesOf, planFormers } from './former.js';
import { findAilment, isLinked, type Look, lookAtReleases, planKept, refuseAll, whatItHas } from './look-releases.js';

/** What to do when a release is not where it is wanted. */
const CHOOSE = 'name a release that all have with to=, or bring it there with action=converge';

/**
 * The plan of a rollback: every instance gets a release that lies on its host. All are looked at before anything is
 * decided; one that runs the wanted release, and well, is left alone.
 * @param to `former`, `marked`, or a label
 * @throws RolloutError naming every instance that lacks what it should get
 */
export async function planRollback(context: RolloutContext, to: string, suffix: string): Promise<NewEvent[]> {
  const { looks, plans } = to === 'former' ? await goFormer(context) : await goToLabels(context, to);
  const events: NewEvent[] = [];
  const instances: InstancePlan[] = [];
  const standing = await Promise.all(plans.map((plan) => standsAlready(context, looks.get(plan.instance), plan)));
  for (const [index, plan] of plans.entries()) {
    const { instance } = plan;
    const unchanged = standing[index] === true ? true : undefined;
    instances.push({ ...plan, unchanged });
    const message = unchanged === true ? `runs ${plan.programRelease} already` : `goes to ${plan.programRelease}`;
    events.push({ type: 'log', level: 'info', instance, message });
  }
  return [{ type: 'planned', suffix, instances }, ...events, ...warnOfMixture(instances)];
}

async function standsAlready(context: RolloutContext, look: Look | undefined, plan: InstancePlan): Promise<boolean> {
  return look !== undefined && isLinked(look, plan) && (await findAilment(context, look)) === undefined;
}

interface Choice {
  looks: Map<string, Look>;
  plans: InstancePlan[];
}

async function goFormer(context: RolloutContext): Promise<Choice> {
  const formers = await findFormers(context.history, context.journal.state.request.batches.flat());
  const looks = await lookAtReleases(context, (key) => placesOf(formers.get(key)));
  const { plans, faults } = planFormers(looks, formers);
  refuseAll(faults, CHOOSE);
  return { looks, plans };
}

async function goToLabels(context: RolloutContext, to: string): Promise<Choice> {
  const { history, journal } = context;
  const labels = new Map<string, string>();
  const faults: string[] = [];
  for (const key of journal.state.request.batches.flat()) {
    const label = to === 'marked' ? await history.findMark(key) : to;
    if (label === undefined) faults.push(messages.nothingMarked(key));
    else labels.set(key, label);
  }
  refuseAll(faults, 'mark one with action=mark&k=…&to=<release>');
  const looks = await lookAtReleases(context, () => []);
  const makers = await findMakers(history.deployments(), labels);
  const plans = [...looks].flatMap(([key, look]) => {
    const label = labels.get(key) ?? '';
    const plan = planKept(look, label);
    if (plan === undefined) faults.push(`${key} has no release ${label}: ${whatItHas(look)}`);
    return plan === undefined ? [] : [{ ...plan, target: makers.get(key)?.id }];
  });
  refuseAll(faults, CHOOSE);
  return { looks, plans };
}

/** Each goes by its own record; where these differ, people should know before they wonder. */
function warnOfMixture(plans: readonly InstancePlan[]): NewEvent[] {
  const labels = plans.map(({ programRelease, programDir }) => labelOf(programRelease, programDir));
  // Plain directories that made way carry the stamp of whoever came then.
  if (new Set(labels).size <= 1 || labels.every((label) => label === undefined || label.endsWith('_before'))) return [];
  const message = 'the instances go to different releases; action=converge brings them to one';
  return [{ type: 'log', level: 'warn', message }];
}

/** Tells the deployment whose record a rollback went by, once the instance is there. */
export async function noteRollback({ history, journal, plan, instance }: InstanceContext): Promise<void> {
  const { action, source } = journal.state.request;
  if (action !== 'rollback' || source.kind !== 'release') return;
  if (plan.target !== undefined && plan.unchanged !== true) {
    await history.noteRollback(instance.key, plan.target, journal.id);
  }
  if (source.to === 'marked') await history.useMark(instance.key, plan.target, journal.id);
}
