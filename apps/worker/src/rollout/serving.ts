import { setTimeout as pause } from 'node:timers/promises';
import { probe } from '../health/url.js';
import { LATELY_MS } from './ahead.js';
import type { InstanceContext } from './context.js';

/** What is needed to ask whether an instance serves. */
export type Serving = Pick<InstanceContext, 'instance' | 'balancer' | 'signal' | 'lately' | 'connections'>;

/** One "no" may be a connection that was cut: only so many of them count, this far apart. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 300;

/** Is it in rotation, and healthy where it has a health check? */
export async function serves(one: Serving): Promise<boolean> {
  for (let look = 1; ; look += 1) {
    if (await servesNow(one, 0)) return true;
    if (look === LOOKS) return false;
    await pause(LOOK_AGAIN_MS, undefined, { signal: one.signal });
  }
}

/** One look. @param withinMs what was seen within so many ms will do */
export async function servesNow(
  { instance, balancer, signal, lately, connections }: Serving,
  withinMs: number,
): Promise<boolean> {
  const seen = await balancer.look(signal, { withinMs });
  // A server that the balancer's own check calls down gets no request, in rotation or not.
  if (!seen.in || seen.up === false) return false;
  if (instance.health === undefined || lately.wasHealthy(instance.key, withinMs)) return true;
  const { healthy } = await probe(instance, instance.health, signal, connections);
  lately.noteHealth(instance.key, healthy);
  return healthy;
}

/** Asks whether an instance serves before its guard does, which then need not. */
export function askAhead(context: Serving): void {
  const { lately, instance } = context;
  if (instance.balancer.type !== 'none') lately.serving.renew(instance.key, () => servesNow(context, LATELY_MS));
}
