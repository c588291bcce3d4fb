import { CancelAsked, ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { CancelledError, RolloutError, StepError } from '@rexdeploy/shared/errors/deployment-errors';
import type { ServiceVerb } from '@rexdeploy/shared/journal/events';
import {
  balancerOf,
  type InstanceContext,
  instanceContext,
  type RolloutContext,
  safePoint,
} from '../rollout/context.js';
import { leaveInstance } from '../rollout/leave.js';
import { releaseLocks } from '../rollout/locks.js';
import { makePlan, mustFind } from '../rollout/plan.js';
import { type AnyStep, runSteps, stepState, undoSteps } from '../rollout/step.js';
import { drain } from '../steps/drain.js';
import { guard } from '../steps/guard.js';
import { restore } from '../steps/restore.js';
import { runService } from '../steps/run-service.js';

/** A restart goes through the balancer, as a roll-out does; never with the last one that serves. */
const STEPS: Readonly<Record<ServiceVerb, readonly AnyStep[]>> = {
  start: [runService],
  stop: [runService],
  restart: [guard, drain, runService, restore],
};

/**
 * Starts, stops or restarts instances, one after another; after a failure none further is touched.
 * @throws RolloutError naming what failed, what was put back and what was not touched
 */
export async function serveAll(context: RolloutContext): Promise<void> {
  const { journal, name, config } = context;
  const verb = journal.state.request.service ?? 'restart';
  if (journal.state.plan === undefined) {
    if (verb === 'stop') await mustBeOut(context);
    await journal.append({ type: 'planned', ...makePlan(journal.state, name, config.timezone) });
  }
  try {
    for (const key of journal.state.request.batches.flat()) await serveOne(instanceContext(context, key), STEPS[verb]);
  } catch (thrown) {
    if (thrown instanceof CancelAsked) {
      await releaseLocks(context);
      throw new CancelledError({ what: `${thrown.message}; ${soFar(context, verb)}` });
    }
    if (!(thrown instanceof ControlFlow) && !context.signal.aborted) await releaseLocks(context);
    throw thrown;
  }
  await releaseLocks(context);
}

async function serveOne(context: InstanceContext, steps: readonly AnyStep[]): Promise<void> {
  const { key } = context.instance;
  try {
    await runSteps(context, steps, (step) => {
      // Between its steps an instance is out of rotation: what has begun is ended.
      if (step === steps[0]) safePoint(context, true);
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const left = (await undoSteps(context, steps)).map(({ message }) => message);
    if (left.length > 0) await leaveInstance(context, left.join('; '), false);
    throw new RolloutError({
      what: `${key} failed at ${error.step}: ${error.what}${afterwards(context, left)}`,
      cause: error,
    });
  }
}

function afterwards(context: InstanceContext, left: readonly string[]): string {
  const { key } = context.instance;
  const verb = context.journal.state.request.service ?? 'restart';
  const restarted = verb === 'restart' && stepState(context, runService) !== undefined;
  if (left.length > 0) return `; ${key} could NOT be brought back: ${left.join('; ')}; ${soFar(context, verb)}`;
  return `${restarted ? `; ${key} was started again and has its weight` : ''}; ${soFar(context, verb)}`;
}

const PAST: Readonly<Record<ServiceVerb, string>> = { start: 'started', stop: 'stopped', restart: 'restarted' };

function soFar({ journal }: RolloutContext, verb: ServiceVerb): string {
  const { instances, request } = journal.state;
  const isDone = (key: string): boolean =>
    instances[key]?.steps.some(({ step, status }) => step === runService.name && status === 'done') === true;
  const all = request.batches.flat();
  const untouched = all.filter((key) => instances[key] === undefined);
  return `${PAST[verb]}: ${all.filter(isDone).join(' ') || 'none'}; not touched: ${untouched.join(' ') || 'none'}`;
}

/** Requests would go to what is stopped. Asked of all before any is touched. @throws RolloutError naming those in rotation */
async function mustBeOut(context: RolloutContext): Promise<void> {
  const { request } = context.journal.state;
  if (request.force === true) return;
  const inside: string[] = [];
  for (const key of request.batches.flat()) {
    const instance = mustFind(context.name, key);
    if (instance.balancer.type === 'none') continue;
    const { in: isIn, exact } = await balancerOf(context, instance).look(context.signal);
    if (isIn) inside.push(`${key} (${exact.trim()})`);
  }
  if (inside.length === 0) return;
  throw new RolloutError({
    what: `in rotation, and not stopped: ${inside.join(', ')}; nothing was touched`,
    whatToDo:
      'take it out first with action=updatek&weight=0; force=1 stops it all the same, with a token of the role admin',
  });
}
