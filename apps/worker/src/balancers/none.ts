import type { Balancer } from './balancer.js';

/** No balancer: an instance is always in rotation as far as we know, and nothing is ever changed. */
export const none: Balancer = {
  place: 'no balancer',
  look: async () => ({ in: true, exact: '' }),
  takeOut: async () => ({ settled: true }),
  giveBack: async () => undefined,
};
