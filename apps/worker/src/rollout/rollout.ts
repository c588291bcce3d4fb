import { CancelAsked, ControlFlow, Held } from '@rexdeploy/shared/errors/control-flow';
import { StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { isDone } from '@rexdeploy/shared/journal/state';
import { resolvePackage } from '../sources/resolve.js';
import { cleanUp } from '../steps/cleanup.js';
import { compare } from '../steps/compare.js';
import { guard } from '../steps/guard.js';
import { soak } from '../steps/soak.js';
import { checkAllHosts, lookAtHosts } from '../transfer/check-hosts.js';
import { instanceContext, type RolloutContext, safePoint } from './context.js';
import { batchFailure, cancellation, hasFailed, type Outcome, stagingFailure } from './failure.js';
import { confirmHandBacks } from './hand-backs.js';
import { bringBack, rollInstance, stageInstance, takeBack, unstageInstance } from './instance.js';
import { leaveInstance } from './leave.js';
import { forEachLimited } from './limited.js';
import { releaseLocks } from './locks.js';
import { lookAtFirst } from './look-ahead.js';
import { planAction } from './plan-action.js';
import { hashPlan, mustBeAsPlanned } from './plan-hash.js';

/**
 * Rolls one deployment to its end, from wherever its journal stands. The order is what makes it safe: everything is on
 * the hosts and verified before the first instance leaves rotation, and an instance is back in rotation, or brought
 * back to what it was, before the next one is touched.
 * @throws RolloutError or CancelledError when it ended badly and all that could be put back is; ControlFlow when this
 *   worker must leave it
 */
export async function rollOut(context: RolloutContext): Promise<void> {
  try {
    await walk(context);
  } catch (thrown) {
    // Whatever ends it, and whoever goes on: nothing given back waits for a drain that does not come.
    const uncertain = context.signal.aborted ? [] : await confirmHandBacks(context);
    if (thrown instanceof CancelAsked) {
      const left = [...uncertain, ...(await removeStaged(context))];
      await releaseLocks(context);
      throw cancellation(context.journal.state, thrown.message, left);
    }
    if (!(thrown instanceof ControlFlow) && !context.signal.aborted) await releaseLocks(context);
    throw thrown;
  }
  await releaseLocks(context);
}

async function walk(context: RolloutContext): Promise<void> {
  await endBegun(context);
  if (hasFailed(context.journal.state)) return endFailed(context);
  await plan(context);
  safePoint(context, true);
  await fetchPackage(context);
  if (context.journal.state.request.dryRun) return compareAll(context);
  await mustBeAsPlanned(context);
  await stageAll(context);
  for (const index of context.journal.state.batches.keys()) {
    await rollBatch(context, index);
    await mayHold(context, index);
  }
  await cleanUp(context);
}

async function plan(context: RolloutContext): Promise<void> {
  if (context.journal.state.plan !== undefined) return;
  await context.journal.append(...(await planAction(context)));
}

/** Given up at once when it is cancelled or this process is to end: it may take long, and nothing was touched yet. */
async function fetchPackage(context: RolloutContext): Promise<void> {
  const signal = AbortSignal.any([context.signal, context.cancelled, context.leaving]);
  lookAtHosts({ ...context, signal });
  try {
    await resolvePackage({ ...context, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

const allInstances = (context: RolloutContext): string[] => context.journal.state.request.batches.flat();

async function compareAll(context: RolloutContext): Promise<void> {
  await forEachLimited(allInstances(context), context.name.transfer.parallel, (key) =>
    compare(instanceContext(context, key)),
  );
  await hashPlan(context);
}

/** Puts the release on every host, a few at a time. Nothing is drained yet: a failure here has disturbed nobody. */
async function stageAll(context: RolloutContext, keys = allInstances(context)): Promise<void> {
  safePoint(context, true);
  try {
    const looked = await checkAllHosts(context, keys);
    await forEachLimited(keys, context.name.transfer.parallel, async (key) => {
      safePoint(context, true);
      const instance = instanceContext(context, key);
      await stageInstance({ ...instance, looked: { facts: looked.get(key) } });
      lookAtFirst(instance);
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw stagingFailure(error, await removeStaged(context));
  }
}

/** What another worker left in the middle comes before anything else, whatever was asked for meanwhile. */
async function endBegun(context: RolloutContext): Promise<void> {
  const index = context.journal.state.batches.findIndex(({ status }) => status === 'running' || status === 'failed');
  if (index >= 0) await rollBatch(context, index);
}

/** Staging failed while another worker had it: nothing new is begun, what was staged is removed. */
async function endFailed(context: RolloutContext): Promise<void> {
  // Only those that failed are looked at again, which tells why; nothing is staged just to be removed.
  const { instances } = context.journal.state;
  const failed = allInstances(context).filter((key) => instances[key]?.steps.some((step) => step.error !== undefined));
  return stageAll(context, failed.length > 0 ? failed : undefined);
}

async function rollBatch(context: RolloutContext, index: number): Promise<void> {
  const { journal } = context;
  const batch = journal.state.batches[index];
  if (batch === undefined || batch.status === 'finished') return;
  if (batch.status === 'waiting') {
    safePoint(context, true);
    await journal.append({ type: 'batch-started', batch: index });
  }
  const ended = await followAll(batch.instances, (key) => rollInstance(instanceContext(context, key)), wayOf(context));
  if (ended.length > 0) return endBatch(context, index, ended, await confirmHandBacks(context));
  const failed = index === 0 ? await followAll(batch.instances, (key) => soak(instanceContext(context, key))) : [];
  // Whoever cancels while the first batch is watched leaves it as it is: it is whole.
  const cancel = failed.find(({ error }) => error instanceof CancelAsked);
  if (failed.length > 0 && cancel === undefined) return endBatch(context, index, failed);
  await journal.append({ type: 'batch-finished', batch: index });
  if (cancel !== undefined) throw cancel.error;
}

/** How the instances of a batch go: `limit` at a time; after a failure only those that had begun before are followed. */
interface Way {
  limit: number;
  isBegun: (key: string) => boolean;
}
const TOGETHER: Way = { limit: Number.POSITIVE_INFINITY, isBegun: () => true };

/** A release has one batch of all instances, however many these are. */
function wayOf({ journal, name }: RolloutContext): Way {
  if (journal.state.request.action !== 'release') return TOGETHER;
  const isBegun = (key: string): boolean =>
    journal.state.instances[key]?.steps.some(({ step }) => step === guard.name) === true;
  return { limit: name.transfer.parallel, isBegun };
}

/** An instance that did not get to the end, and why: a StepError, or CancelAsked. */
interface Ended {
  key: string;
  error: unknown;
}

/**
 * Follows all instances of a batch to their end, also when one fails: a neighbour is never left in the middle.
 * @returns those that failed or were cancelled, in the order of `keys`
 * @throws whatever else ended one, when all have ended
 */
async function followAll(
  keys: readonly string[],
  work: (key: string) => Promise<void>,
  way = TOGETHER,
): Promise<Ended[]> {
  const queue = [...keys];
  const errors: Ended[] = [];
  const lane = async (): Promise<void> => {
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
      if (errors.length > 0 && !way.isBegun(key)) continue;
      try {
        await work(key);
      } catch (error) {
        errors.push({ key, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(way.limit, keys.length) }, lane));
  errors.sort((one, other) => keys.indexOf(one.key) - keys.indexOf(other.key));
  const ended = errors.filter(({ error }) => error instanceof StepError || error instanceof CancelAsked);
  if (ended.length < errors.length) throw errors.find((each) => !ended.includes(each))?.error;
  return ended;
}

/** Does to a failed or cancelled batch what the policy says. @throws RolloutError, or CancelAsked where nothing failed */
async function endBatch(
  context: RolloutContext,
  index: number,
  ended: readonly Ended[],
  uncertain: readonly string[] = [],
): Promise<void> {
  const { journal, name } = context;
  const failures = ended.flatMap(({ error }) => (error instanceof StepError ? [error] : []));
  const policy = failures.length === 0 ? 'rollback' : (journal.state.request.onFailure ?? name.onFailure);
  const outcomes = await Promise.all(
    ended.map(async ({ key, error }): Promise<Outcome> => {
      const instance = instanceContext(context, key);
      const failure = error instanceof StepError ? error : undefined;
      if (policy === 'halt' && failure !== undefined) {
        await leaveInstance(instance, `on_failure is halt, and ${failure.step} failed`, true);
        return { key, error: failure, left: [], halted: true };
      }
      const left = await bringBack(instance);
      if (left.length > 0) await leaveInstance(instance, left.join('; '), false);
      return { key, error: failure, left, halted: false };
    }),
  );
  const notBack = [...uncertain, ...(policy === 'rollback_all' ? await takeAllBack(context) : [])];
  const left = await removeStaged(context);
  const failure = batchFailure(journal.state, outcomes, notBack, left);
  await journal.append({ type: 'batch-failed', batch: index, message: failure.what });
  const cancel = ended.find(({ error }) => error instanceof CancelAsked);
  throw failures.length === 0 && cancel !== undefined ? cancel.error : failure;
}

/** `rollback_all`: also what had succeeded gets its former release, the last one first, through the balancer. */
async function takeAllBack(context: RolloutContext): Promise<string[]> {
  const { journal } = context;
  const left: string[] = [];
  for (const key of allInstances(context).toReversed()) {
    const state = journal.state.instances[key];
    const begun = state?.steps.some(({ step, status }) => step === 'restore' && status !== 'done') ?? false;
    if (state?.record === undefined || (state.takenBack === true && !begun && isWhole(state))) continue;
    const instance = instanceContext(context, key);
    const lines = await takeBack(instance);
    if (lines.length > 0) await leaveInstance(instance, lines.join('; '), false);
    left.push(...lines);
  }
  return left;
}

const isWhole = ({ steps }: { steps: readonly { step: string; status: string }[] }): boolean =>
  steps.some(({ step, status }) => step === 'drain' && status === 'undone');

/** After the first batch with `hold=1`, and after any when somebody asked; never after the last. @throws Held */
async function mayHold(context: RolloutContext, index: number): Promise<void> {
  const { journal, name } = context;
  const { state } = journal;
  if (state.batches[index + 1]?.status !== 'waiting' || state.heldAfter.includes(index)) return;
  if (journal.asked?.control !== 'hold' && !(state.request.hold === true && index === 0)) return;
  // Nothing is journaled after that.
  await confirmHandBacks(context);
  const untilMs = name.holdTimeoutMs === undefined ? undefined : Date.now() + name.holdTimeoutMs;
  await journal.append({ type: 'held', batch: index, untilMs });
  throw new Held(`held after batch ${index}`);
}

/** Takes the staged release from every instance that does not use it. @returns what could not be removed */
async function removeStaged(context: RolloutContext): Promise<string[]> {
  const { journal } = context;
  const unused = allInstances(context).filter((key) => {
    const state = journal.state.instances[key];
    const switched = state?.steps.some(({ step, status }) => step === 'switch' && status !== 'undone');
    return !isDone(state) && !(state?.left !== undefined && switched === true);
  });
  const left = await Promise.all(
    unused.map(async (key) => {
      if (journal.state.plan === undefined) return [];
      return unstageInstance(instanceContext(context, key));
    }),
  );
  return left.flat();
}
