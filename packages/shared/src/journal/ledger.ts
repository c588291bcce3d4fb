import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Keys } from '../redis/keys.js';
import type { JournalEvent } from './events.js';
import type { DeploymentState } from './state.js';

/** One entry of the drain ledger: an instance out of rotation by our hand, and the exact state to give back. */
export const drainedSchema = z.object({
  name: z.string(),
  instance: z.string(),
  deployment: z.string(),
  since: z.iso.datetime(),
  in: z.boolean(),
  /** As the balancer's driver found it, in the balancer's own words. */
  exact: z.string(),
  /** Left out on purpose, with the reason; only people or a later deployment give it back. */
  kept: z.string().optional(),
});
export type Drained = z.infer<typeof drainedSchema>;

/** A change of the ledger that goes into Redis together with the event that means it. */
export type LedgerChange = { instance: string; entry: Drained | undefined };

const foundSchema = z.looseObject({
  in: z.boolean(),
  exact: z.string(),
  /** It was out by our hand already when this deployment came. */
  owed: z.boolean().optional(),
});

/**
 * What an event means for the ledger. An entry is there before a balancer is touched, and goes when it was given back.
 * @param state the deployment with the event in it
 */
export function ledgerChange(state: DeploymentState, event: JournalEvent): LedgerChange | undefined {
  const key = `${event.type} ${'step' in event ? event.step : ''}`;
  if (!('instance' in event) || event.instance === undefined) return undefined;
  const { instance } = event;
  switch (key) {
    case 'step-started drain':
    case 'undo-started restore':
      return entered(state, instance, event.at);
    case 'step-done restore':
      return foundBefore(state, instance)?.in === true ? { instance, entry: undefined } : undefined;
    case 'undo-done drain':
      return givesBack(state, instance) ? { instance, entry: undefined } : undefined;
    case 'given-back ':
      return { instance, entry: undefined };
    case 'left ':
      return event.type === 'left' && event.kept === true ? kept(state, instance, event) : undefined;
    default:
      return undefined;
  }
}

function foundBefore(state: DeploymentState, instance: string): z.infer<typeof foundSchema> | undefined {
  return foundSchema.safeParse(state.instances[instance]?.steps.find(({ step }) => step === 'drain')?.found).data;
}

function entered(state: DeploymentState, instance: string, since: string): LedgerChange | undefined {
  const found = foundBefore(state, instance);
  // What was out before is not out by our hand.
  if (found?.in !== true) return undefined;
  const { exact } = found;
  const { id: deployment, request } = state;
  return { instance, entry: { name: request.name, instance, deployment, since, in: true, exact } };
}

function givesBack(state: DeploymentState, instance: string): boolean {
  const found = foundBefore(state, instance);
  // What an earlier deployment left out did not serve then either: it stays owed.
  return found?.in === true && found.owed !== true;
}

function kept(
  state: DeploymentState,
  instance: string,
  { at, why }: { at: string; why: string },
): LedgerChange | undefined {
  const change = entered(state, instance, at);
  return change?.entry === undefined ? undefined : { instance, entry: { ...change.entry, kept: why } };
}

/** What a deployment has out of rotation as it stands. */
export function drainedIn(state: DeploymentState): Drained[] {
  return Object.values(state.instances).flatMap(({ instance, steps }) => {
    const drain = steps.find(({ step }) => step === 'drain');
    const restored = steps.some(({ step, status }) => step === 'restore' && status === 'done');
    if (drain === undefined || drain.status === 'undone' || restored) return [];
    const change = entered(state, instance, new Date(drain.startedMs).toISOString());
    return change?.entry === undefined ? [] : [change.entry];
  });
}

/** The whole ledger. Entries that cannot be read are told through `onBad`, never dropped. */
export async function readDrained(redis: Redis, keys: Keys, onBad: (instance: string) => void): Promise<Drained[]> {
  return Object.entries(await redis.hgetall(keys.drained)).flatMap(([instance, text]) => {
    const entry = parseDrained(text);
    if (entry === undefined) onBad(instance);
    return entry === undefined ? [] : [entry];
  });
}

/** One instance's entry; undefined when it is not out by our hand. */
export async function findDrained(redis: Redis, keys: Keys, instance: string): Promise<Drained | undefined> {
  const text = await redis.hget(keys.drained, instance);
  return text === null ? undefined : parseDrained(text);
}

/** Reads an entry; undefined when it is none. */
export function parseDrained(text: string): Drained | undefined {
  try {
    const parsed = drainedSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
