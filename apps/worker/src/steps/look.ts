import { z } from 'zod';
import { inspect } from '../hosts/inspect.js';
import type { Step } from '../rollout/step.js';

/**
 * Takes the place of staging where the release lies on the host already: what would make a later step fail is found out
 * here, before anything is changed anywhere.
 */
export const look: Step = {
  name: 'look',
  found: z.looseObject({}),

  async find(context) {
    const { instance, plan, journal, name, signal } = context;
    await inspect(await context.host(), instance, plan, journal.id, { exclude: name.exclude, listing: false, signal });
    await context.balancer.look(signal);
    return {};
  },

  run: async () => ({}),
};
