import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** Calls in all, at least 1. */
  attempts: number;
  /** Longest wait before the second call, in ms; doubles with each further one. */
  baseMs: number;
  /** No wait is longer, in ms. */
  maxMs: number;
  /** From 0 to below 1; default `Math.random`. */
  random?: () => number;
  signal?: AbortSignal;
  /** Told before each wait: the error, the number of the call that failed (from 1), the wait in ms. */
  onRetry?: (error: Error, attempt: number, delayMs: number) => void;
}

/**
 * Calls `fn` again while it fails with an error whose `retryable` is true. Waits a random time between nothing and an
 * exponentially growing limit ("full jitter"), so that many callers who failed together do not come back together.
 *
 * @param fn gets the number of the call, from 1
 * @throws the last error; the signal's reason when aborted before a call or while waiting
 */
export async function retry<T>(fn: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, baseMs, maxMs, random = Math.random, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await fn(attempt);
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error) || signal?.aborted === true) throw error;
      const delayMs = Math.round(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)));
      options.onRetry?.(error, attempt, delayMs);
      await wait(delayMs, signal);
    }
  }
}

function isRetryable(error: unknown): error is Error {
  return error instanceof Error && 'retryable' in error && error.retryable === true;
}

async function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  // Node wraps the reason in an AbortError of its own; callers expect the reason itself.
  await delay(delayMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
