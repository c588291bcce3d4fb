import { StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { resolvePackage } from '../sources/resolve.js';
import { cleanUp } from '../steps/cleanup.js';
import { compare } from '../steps/compare.js';
import { instanceContext, type RolloutContext, safePoint } from './context.js';
import { batchFailure, hasFailed, stagingFailure } from './failure.js';
import { bringBack, rollInstance, stageInstance, unstageInstance } from './instance.js';
import { forEachLimited } from './limited.js';
import { makePlan } from './plan.js';

/**
 * Rolls one deployment to its end, from wherever its journal stands. The order is what makes it safe: everything is on
 * the hosts and verified before the first instance leaves rotation, and an instance is back in rotation, or brought
 * back to what it was, before the next one is touched.
 * @throws RolloutError when it failed and all that could be put back is; ControlFlow when this worker must leave it
 */
export async function rollOut(context: RolloutContext): Promise<void> {
  if (hasFailed(context.journal.state)) return endFailed(context);
  await plan(context);
  await resolvePackage(context);
  if (context.journal.state.request.dryRun) return compareAll(context);
  await stageAll(context);
  for (const index of context.journal.state.batches.keys()) {
    await rollBatch(context, index);
  }
  await cleanUp(context);
}

async function plan(context: RolloutContext): Promise<void> {
  const { journal, name, config } = context;
  if (journal.state.plan !== undefined) return;
  await journal.append({ type: 'planned', ...makePlan(journal.state, name, config.timezone) });
}

const allInstances = (context: RolloutContext): string[] => context.journal.state.request.batches.flat();

async function compareAll(context: RolloutContext): Promise<void> {
  await forEachLimited(allInstances(context), context.name.transfer.parallel, (key) =>
    compare(instanceContext(context, key)),
  );
}

/** Puts the release on every host, a few at a time. Nothing is drained yet: a failure here has disturbed nobody. */
async function stageAll(context: RolloutContext, keys = allInstances(context)): Promise<void> {
  safePoint(context);
  try {
    await forEachLimited(keys, context.name.transfer.parallel, async (key) => {
      safePoint(context);
      await stageInstance(instanceContext(context, key));
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw stagingFailure(error, await removeStaged(context));
  }
}

/** The roll-out failed while another worker had it: nothing new is begun, all that was begun is brought back. */
async function endFailed(context: RolloutContext): Promise<void> {
  const index = context.journal.state.batches.findIndex(({ status }) => status === 'running' || status === 'failed');
  if (index >= 0) return rollBatch(context, index);
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
    safePoint(context);
    await journal.append({ type: 'batch-started', batch: index });
  }
  // All of the batch are followed to their end, also when one fails: a neighbour is never left in the middle.
  const results = await Promise.allSettled(
    batch.instances.map(async (key) => rollInstance(instanceContext(context, key))),
  );
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const failed = errors.filter((error) => error instanceof StepError);
  if (failed.length < errors.length) throw errors.find((error) => !(error instanceof StepError));
  if (failed.length === 0) return journal.append({ type: 'batch-finished', batch: index });

  const outcomes = await Promise.all(
    failed.map(async (error) => ({ error, left: await bringBack(instanceContext(context, error.instance)) })),
  );
  const left = await removeStaged(context);
  const failure = batchFailure(journal.state, outcomes, left);
  await journal.append({ type: 'batch-failed', batch: index, message: failure.what });
  throw failure;
}

/** Takes the staged release from every instance that does not use it. @returns what could not be removed */
async function removeStaged(context: RolloutContext): Promise<string[]> {
  const unused = allInstances(context).filter((key) => context.journal.state.instances[key]?.record === undefined);
  const left = await Promise.all(unused.map((key) => unstageInstance(instanceContext(context, key))));
  return left.flat();
}
