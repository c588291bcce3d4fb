import type { Redis } from 'ioredis';
import { eventSchema } from '../journal/events.js';
import { NOTE } from '../journal/scripts.js';
import type { Keys } from '../redis/keys.js';

/** What is added to the journal of a deployment after its end; see `Deployments.find` of the API, which reads on there. */

/** A rollback went by what a deployment recorded of an instance. Noted once, however often it is told. */
export async function noteRollback(
  redis: Redis,
  keys: Keys,
  target: string,
  { instance, by }: { instance: string; by: string },
): Promise<void> {
  const event = eventSchema.parse({ type: 'rolled-back', at: new Date().toISOString(), instance, by });
  const once = `rolled-back:${instance}:${by}`;
  await NOTE.run(redis, [keys.record(target), keys.journal(target)], [once, JSON.stringify(event)]);
}

/** The release that a deployment made on an instance was marked, or is no longer. */
export async function noteMark(
  redis: Redis,
  keys: Keys,
  target: string,
  mark: { instance: string; marked: boolean; by: string },
): Promise<void> {
  const event = eventSchema.parse({ type: 'marked', at: new Date().toISOString(), ...mark });
  await NOTE.run(redis, [keys.record(target), keys.journal(target)], ['', JSON.stringify(event)]);
}
