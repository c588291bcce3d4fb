import type { Redis } from 'ioredis';
import { eventSchema, type JournalEvent } from '../journal/events.js';
import { NOTE } from '../journal/scripts.js';
import { fieldOf, stored } from '../metrics/stored.js';
import type { Keys } from '../redis/keys.js';

/**
 * What is added to the journal of a deployment by others than its owner, mostly after its end; see `Deployments.find` of the
 * API, which reads on there.
 */

/** A rollback went by what a deployment recorded of an instance. Noted once, however often it is told. */
export async function noteRollback(
  redis: Redis,
  keys: Keys,
  target: string,
  { instance, by }: { instance: string; by: string },
): Promise<void> {
  const event = eventSchema.parse({ type: 'rolled-back', at: new Date().toISOString(), instance, by });
  const once = `rolled-back:${instance}:${by}`;
  await NOTE.run(redis, touched(keys, target), [once, JSON.stringify(event), '']);
}

/** The release that a deployment made on an instance was marked, or is no longer. */
export async function noteMark(
  redis: Redis,
  keys: Keys,
  target: string,
  mark: { instance: string; marked: boolean; by: string },
): Promise<void> {
  const event = eventSchema.parse({ type: 'marked', at: new Date().toISOString(), ...mark });
  await NOTE.run(redis, touched(keys, target), ['', JSON.stringify(event), '']);
}

/** Somebody was told of an event, or could not be. Noted and counted once for each event and notifier. */
export async function noteNotice(
  redis: Redis,
  keys: Keys,
  target: string,
  notice: WithoutTime<Extract<JournalEvent, { type: 'notified' | 'notify-failed' }>>,
): Promise<void> {
  const event = eventSchema.parse({ ...notice, at: new Date().toISOString() });
  const field = fieldOf(stored.notifications.name, [notice.notifier, notice.type === 'notified' ? 'sent' : 'failed']);
  const args = [noticeField(notice.type, notice), JSON.stringify(event), field];
  await NOTE.run(redis, touched(keys, target), args);
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** Was this notifier told of this event? One that was given up may be tried again, by people. */
export async function wasNotified(
  redis: Redis,
  keys: Keys,
  target: string,
  { entry, notifier }: { entry: string; notifier: string },
): Promise<boolean> {
  return (await redis.hexists(keys.record(target), noticeField('notified', { entry, notifier }))) === 1;
}

const noticeField = (type: string, { entry, notifier }: { entry: string; notifier: string }): string =>
  `${type}:${entry}:${notifier}`;

const touched = (keys: Keys, target: string): string[] => [keys.record(target), keys.journal(target), keys.metrics];
