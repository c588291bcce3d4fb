import { z } from 'zod';
import { watch } from '../health/watch.js';
import type { InstanceContext } from '../rollout/context.js';
import { runSteps, type Step } from '../rollout/step.js';
import { formerLink } from './guard.js';

/**
 * Watches an instance of the first batch for as long as its health check says (`soak`), before the next batch begins. A
 * repetition watches again.
 * @throws StepError when it failed; ControlFlow when it is not to go on
 */
export async function soak(context: InstanceContext): Promise<void> {
  // One that was left alone has nothing new to be watched for.
  if (context.plan.unchanged === true || (context.instance.health?.soak ?? 0) === 0) return;
  await runSteps(context, [soakInstance]);
}

/** Watches one instance, which is whole and serves: nothing is lost when it ends before its time. */
const soakInstance: Step = {
  name: 'soak',
  endsOn: ['cancelled', 'leaving'],
  found: z.looseObject({}),
  find: async () => ({}),
  run: (context) => watch(context, context.plan.programRelease, formerLink(context)),
};
