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
  /** Somebody wished it out (`updatek`): no deployment gives it back either, only their wish does. */
  wish: z.boolean().optional(),
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
    case 'step-started weigh':
      return weighed(state, instance)?.out;
    case 'step-done weigh':
      return weighed(state, instance)?.done;
    case 'undo-done weigh':
      return weighed(state, instance)?.undone;
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

/** What the step `weigh` finds before it changes a weight on somebody's wish. */
export const weighFoundSchema = z.looseObject({
  in: z.boolean(),
  exact: z.string(),
  /** Is the instance to be out, or to get requests? */
  wanted: z.enum(['out', 'in']),
  /** Who wished it, for people. */
  why: z.string(),
  /** What the ledger held of it before. */
  before: drainedSchema.optional(),
});

/** What the step `weigh` means for the ledger at its beginning, its end and its undo. */
function weighed(
  state: DeploymentState,
  instance: string,
): Partial<Record<'out' | 'done' | 'undone', LedgerChange>> | undefined {
  const step = state.instances[instance]?.steps.find((each) => each.step === 'weigh');
  const found = weighFoundSchema.safeParse(step?.found).data;
  if (step === undefined || found === undefined) return undefined;
  if (found.wanted === 'in') return { done: { instance, entry: undefined } };
  const exact = found.in ? found.exact : found.before?.exact;
  // Out, and not by our hand: nothing of ours to give back.
  if (exact === undefined) return undefined;
  const since = found.in ? undefined : found.before?.since;
  const entry: Drained = {
    name: state.request.name,
    instance,
    deployment: state.id,
    since: since ?? new Date(step.startedMs).toISOString(),
    in: true,
    exact,
    kept: found.why,
    wish: true,
  };
  return { out: { instance, entry }, undone: { instance, entry: found.before } };
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
    const wished = weighed(state, instance)?.out?.entry;
    if (wished !== undefined && steps.some(({ step, status }) => step === 'weigh' && status !== 'undone'))
      return [wished];
    const drain = steps.find(({ step }) => step === 'drain');
    const restored = steps.some(({ step, status }) => step === 'restore' && status === 'done');
    if (drain === undefined || drain.status === 'undone' || restored) return [];
    const change = entered(state, instance, new Date(drain.startedMs).toISOString());
    return change?.entry === undefined ? [] : [change.entry];
  });
}

/** What stands in the way of giving an instance back unasked: that somebody wished it out. */
export const wishedOut = (entry: Pick<Drained, 'wish' | 'kept'> | undefined): string | undefined =>
  entry?.wish === true ? (entry.kept ?? 'somebody wished it') : undefined;

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
