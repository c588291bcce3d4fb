import { CancelAsked } from '@rexdeploy/shared/errors/control-flow';
import { BalancerError, CancelledError, RolloutError, StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { ObservedInstance } from '@rexdeploy/shared/journal/events';
import {
  balancerOf,
  type InstanceContext,
  instanceContext,
  type RolloutContext,
  safePoint,
} from '../rollout/context.js';
import { forEachLimited } from '../rollout/limited.js';
import { makePlan, mustFind } from '../rollout/plan.js';
import { runSteps, undoSteps } from '../rollout/step.js';
import { anotherServes } from '../steps/guard.js';
import { weigh } from '../steps/weigh.js';
import { told } from './look.js';

/**
 * Asks the balancers for weight and rotation of every instance; nothing is changed.
 * @throws BalancerError naming every instance whose balancer does not tell
 */
export async function queryWeights(context: RolloutContext): Promise<void> {
  await observeWeights(context);
  const bad = Object.values(context.journal.state.observed).filter(({ errors }) => errors.length > 0);
  if (bad.length === 0) return;
  throw new BalancerError({
    where: context.journal.state.request.k,
    what: bad.map(({ instance, errors }) => `${instance}: ${errors.join('; ')}`).join('; '),
  });
}

async function observeWeights(context: RolloutContext): Promise<void> {
  const { journal, name } = context;
  await forEachLimited(journal.state.request.batches.flat(), name.transfer.parallel, async (key) => {
    await journal.append({ type: 'observed', ...(await weightOf(context, key)) });
  });
}

async function weightOf(context: RolloutContext, key: string): Promise<ObservedInstance> {
  const instance = mustFind(context.name, key);
  const seen: ObservedInstance = { instance: key, host: instance.host, errors: [] };
  if (instance.balancer.type === 'none') return seen;
  const balancer = balancerOf(context, instance);
  const looked = await told(context, () => balancer.look(context.signal));
  const kept = (await context.findDrained(key))?.kept;
  const known = { ...seen, balancer: balancer.place, kept };
  if ('problem' in looked) return { ...known, errors: [looked.problem] };
  const { in: isIn, exact, up, weight } = looked.value;
  return { ...known, in: isIn, rotation: exact.trim(), up, weight };
}

/**
 * Sets a weight in the balancer for each instance, one after another, and journals how all stand then. The one that fails
 * gets back what it had; those before it keep what they were given.
 * @throws BalancerError before anything is touched when nobody else would serve; RolloutError naming what failed
 */
export async function updateWeights(context: RolloutContext): Promise<void> {
  const { journal, name, config } = context;
  if (journal.state.plan === undefined) {
    await mustLeaveServing(context);
    await journal.append({ type: 'planned', ...makePlan(journal.state, name, config.timezone) });
  }
  try {
    for (const key of journal.state.request.batches.flat()) await weighInstance(instanceContext(context, key));
  } catch (thrown) {
    if (!(thrown instanceof CancelAsked)) throw thrown;
    throw new CancelledError({ what: `${thrown.message}; ${doneSoFar(context)}` });
  }
  await observeWeights(context);
}

async function weighInstance(context: InstanceContext): Promise<void> {
  safePoint(context, true);
  try {
    await runSteps(context, [weigh]);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const left = await undoSteps(context, [weigh]);
    const { key } = context.instance;
    const after =
      left.length === 0
        ? `${key} has what it had`
        : `${key} could NOT be brought back: ${left.map(({ message }) => message).join('; ')}`;
    throw new RolloutError({ what: `${key}: ${error.what}; ${after}; ${doneSoFar(context)}`, cause: error });
  }
}

function doneSoFar({ journal }: RolloutContext): string {
  const done = Object.values(journal.state.instances)
    .filter(({ steps }) => steps.some(({ step, status }) => step === weigh.name && status === 'done'))
    .map(({ instance }) => instance);
  return `changed: ${done.join(' ') || 'none'}`;
}

/** Asked once, before anything is changed. @throws BalancerError when nobody else would serve */
async function mustLeaveServing(context: RolloutContext): Promise<void> {
  const { request } = context.journal.state;
  if (request.weight !== 0 || request.force === true) return;
  for (const key of request.batches.flat()) {
    const instance = mustFind(context.name, key);
    const one = { ...context, instance, balancer: balancerOf(context, instance) };
    try {
      await anotherServes(one, { alone: 'refuse' });
    } catch (error) {
      if (!(error instanceof BalancerError)) throw error;
      throw new BalancerError({
        where: error.where,
        what: `${toRexError(error).what}; nothing was touched`,
        whatToDo: 'force=1 takes it out all the same, with a token of the role admin',
      });
    }
  }
}
