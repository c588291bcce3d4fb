import { StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { z } from 'zod';
import { watch } from '../health/watch.js';
import { instanceContext, type RolloutContext } from '../rollout/context.js';
import { runStep, type Step } from '../rollout/step.js';
import { formerLink } from './guard.js';

/**
 * Watches the instances of the first batch for as long as their health checks say (`soak`), before the next one begins.
 * All are watched to the end, also when one fails; each failure is journaled. A repetition watches again.
 * @throws StepError of the first instance that failed; ControlFlow when it is not to go on
 */
export async function soak(context: RolloutContext, batchIndex: number): Promise<void> {
  if (batchIndex !== 0) return;
  const keys = context.journal.state.batches[batchIndex]?.instances ?? [];
  const results = await Promise.allSettled(
    keys.map(async (key) => {
      const instance = instanceContext(context, key);
      // One that was left alone has nothing new to be watched for.
      if (instance.plan.unchanged !== true && (instance.instance.health?.soak ?? 0) > 0)
        await runStep(instance, soakInstance);
    }),
  );
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => !(error instanceof StepError)) ?? errors[0];
}

/** Watches one instance, which is whole and serves: nothing is lost when it ends before its time. */
const soakInstance: Step = {
  name: 'soak',
  endsOn: ['cancelled', 'leaving'],
  found: z.looseObject({}),
  find: async () => ({}),
  run: (context) => watch(context, context.plan.programRelease, formerLink(context)),
};
