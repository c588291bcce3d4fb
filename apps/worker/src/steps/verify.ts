import { z } from 'zod';
import { healthUrl } from '../health/url.js';
import { waitUntilHealthy } from '../health/wait.js';
import type { Step } from '../rollout/step.js';

/** Waits until the started instance is healthy. Its processes were counted by the switch already. */
export const verify: Step = {
  name: 'verify',
  found: z.looseObject({}),
  find: async () => ({}),

  async run({ instance, signal }) {
    if (instance.health === undefined) return { health: 'no health check configured' };
    const url = healthUrl(instance.health, instance);
    return { url, attempts: await waitUntilHealthy(url, instance.health, signal) };
  },
};
