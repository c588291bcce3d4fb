import type { Redis } from 'ioredis';
import type { Control, JournalEvent } from '../journal/events.js';
import { CONTROL } from '../journal/scripts.js';
import type { Keys } from '../redis/keys.js';

/** What became of a request to cancel, hold or resume. */
export type ControlOutcome =
  | { outcome: 'ended' | 'gone' | 'not-held' | 'already' | 'cancelling' | 'asked' }
  /** It had not begun and never will; `next` has the name now, and wants its ticket. */
  | { outcome: 'cancelled'; next: string | undefined }
  /** It was held; this ticket wakes a worker for it. */
  | { outcome: 'woken'; ticket: string };

/**
 * Asks a deployment to cancel, hold or resume. One that runs sees to it at its next safe point; one that has not begun is
 * cancelled at once; one that is held is woken.
 * @param by name of who asks, for the journal
 * @param heldUntil only while it is held, with this very end; what was resumed meanwhile is left alone (`not-held`)
 */
export async function askDeployment(
  redis: Redis,
  keys: Keys,
  target: { id: string; name: string },
  control: Control,
  by: string,
  heldUntil = '',
): Promise<ControlOutcome> {
  const { id, name } = target;
  const now = Date.now();
  const at = new Date(now).toISOString();
  const asked: JournalEvent = { type: 'asked', at, control, by };
  const finished: JournalEvent = {
    type: 'finished',
    at,
    state: 'cancelled',
    error: { code: 'cancelled', what: `cancelled by ${by} before it began; nothing was touched` },
  };
  const [outcome, ticket] = (await CONTROL.run(
    redis,
    [
      keys.record(id),
      keys.journal(id),
      keys.lock(name),
      keys.open,
      keys.waiting(name),
      keys.stamp(name),
      keys.record(''),
    ],
    [id, control, JSON.stringify({ control, by }), JSON.stringify(asked), JSON.stringify(finished), at, now, heldUntil],
  )) as [ControlOutcome['outcome'], string];
  if (outcome === 'woken') return { outcome, ticket };
  if (outcome === 'cancelled') return { outcome, next: ticket === '' ? undefined : ticket };
  return { outcome };
}
