import { z } from 'zod';
import { passHealthGate } from '../health/gate.js';
import { proveRelease } from '../health/proof.js';
import { observeInstance } from '../hosts/observe.js';
import { LATELY_MS } from '../rollout/ahead.js';
import type { Step } from '../rollout/step.js';
import { formerLink } from './guard.js';

/** Waits until the started instance is healthy, then has it proven that it is the new release that runs. */
export const verify: Step = {
  name: 'verify',
  endsOn: ['cancelled'],
  found: z.looseObject({}),
  find: async () => ({}),

  async run(context) {
    const { programRelease } = context.plan;
    const health = await passHealthGate(context, programRelease);
    if (health !== undefined) context.lately.noteHealth(context.instance.key, true);
    const told = context.lately.notes.find(`proof ${context.instance.key}`, LATELY_MS);
    const proof = await proveRelease(context, programRelease, { former: formerLink(context), told });
    context.lately.observed.begin(context.instance.key, () => observeInstance(context));
    return { ...(health ?? { health: 'no health check configured' }), ...(proof && { proof: proof.why }) };
  },
};
