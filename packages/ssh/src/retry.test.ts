import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { expect, test } from 'vitest';
import { retry } from './retry.js';

const refused = () => new ConnectionError({ host: 'h', what: 'refused' });

test('waits grow exponentially up to the limit, times the random number', async () => {
  const waits: [number, number][] = [];
  const calls: number[] = [];
  const failing = retry(
    async (attempt) => {
      calls.push(attempt);
      throw refused();
    },
    { attempts: 5, baseMs: 2, maxMs: 7, random: () => 0.5, onRetry: (_, attempt, ms) => waits.push([attempt, ms]) },
  );
  await expect(failing).rejects.toThrow('refused');
  expect(calls).toEqual([1, 2, 3, 4, 5]);
  expect(waits).toEqual([
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
  ]);
});

test('the first success is the answer', async () => {
  const answer = retry(
    async (attempt) => {
      if (attempt < 3) throw refused();
      return attempt;
    },
    { attempts: 5, baseMs: 1, maxMs: 1, random: () => 0 },
  );
  expect(await answer).toBe(3);
});

test('an error that is not retryable ends it at once', async () => {
  let calls = 0;
  const failing = retry(
    async () => {
      calls += 1;
      throw new Error('no');
    },
    { attempts: 5, baseMs: 1, maxMs: 1 },
  );
  await expect(failing).rejects.toThrow('no');
  expect(calls).toBe(1);
});

test('an abort ends the wait with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const failing = retry(() => Promise.reject(refused()), {
    attempts: 2,
    baseMs: 3_600_000,
    maxMs: 3_600_000,
    random: () => 0.99,
    signal: abort.signal,
    onRetry: () => queueMicrotask(() => abort.abort(reason)),
  });
  await expect(failing).rejects.toBe(reason);
});

test('nothing is called once aborted', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const never = () => Promise.reject(new Error('called'));
  await expect(retry(never, { attempts: 2, baseMs: 1, maxMs: 1, signal })).rejects.toThrow('enough');
});
