import { z } from 'zod';
import { passHealthGate } from '../health/gate.js';
import type { Step } from '../rollout/step.js';

/** Waits until the started instance is healthy. Its processes were counted by the switch already. */
export const verify: Step = {
  name: 'verify',
  endsOn: ['cancelled'],
  found: z.looseObject({}),
  find: async () => ({}),
  run: async (context) => (await passHealthGate(context)) ?? { health: 'no health check configured' },
};
