import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import { parseAs } from '@rexdeploy/shared/api/parse-answer';
import { endEventSchema } from '@rexdeploy/shared/api/routes/job-events';
import { advice } from './advice.js';
import { RefusedError, UnreachableError } from './errors.js';
import { parseSse, type SseMessage } from './sse.js';

/** What following needs of the API. */
export interface EventSource {
  /** The job's events after `lastEventId` (empty: from the start). */
  openEvents(id: string, lastEventId: string): Promise<AsyncIterable<Uint8Array>>;
}

export interface FollowOptions {
  onEvent(message: SseMessage): void;
  /** The last message, whose data is the final answer. */
  onEnd?(message: SseMessage): void;
  /** Told each time the stream is open. */
  onOpen?(): void;
  /** Told each time the stream broke and is being opened again. */
  onBreak?(error: Error | undefined): void;
  /** How long the API may stay away before following gives up. */
  giveUpMs?: number;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const GIVE_UP_MS = 5 * 60_000;

/**
 * Follows a job to its end; a stream that breaks is opened again where it broke, so that no event is lost or seen twice.
 *
 * @returns the final answer
 * @throws RefusedError when the API will not show the job; UnreachableError when it stays away
 */
export async function follow(source: EventSource, id: string, options: FollowOptions): Promise<Envelope> {
  let lastEventId = '';
  let pauseMs = FIRST_PAUSE_MS;
  let awaySinceMs: number | undefined;
  for (;;) {
    let reason: Error | undefined;
    try {
      const chunks = await source.openEvents(id, lastEventId);
      awaySinceMs = undefined;
      options.onOpen?.();
      for await (const message of parseSse(chunks)) {
        pauseMs = FIRST_PAUSE_MS;
        if (message.event === 'end') {
          const answer = finalAnswer(message);
          options.onEnd?.(message);
          return answer;
        }
        if (message.id !== '') lastEventId = message.id;
        options.onEvent(message);
      }
    } catch (error) {
      if (!mayReturn(error)) throw error;
      reason = error;
      awaySinceMs ??= Date.now();
      if (Date.now() - awaySinceMs > (options.giveUpMs ?? GIVE_UP_MS)) throw error;
    }
    options.onBreak?.(reason);
    await wait(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** An API that restarts, or that is asked too often, shows the job a moment later. */
function mayReturn(error: unknown): error is RefusedError | UnreachableError {
  if (error instanceof RefusedError) return error.status === 429 || error.status === 503;
  return error instanceof UnreachableError;
}

/** The last event is the answer itself, with the `type` and `at` that every event has. */
function finalAnswer(message: SseMessage): Envelope {
  const { type: _, at: __, ...answer } = parseAs(endEventSchema, message.data, 'the end of the stream', advice);
  return answer;
}
