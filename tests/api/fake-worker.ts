import type { Leaves } from '@rexdeploy/shared/api/envelope-schema';
import { claim, type Journal } from '@rexdeploy/shared/journal/journal';
import type { ApiUnderTest } from './api-under-test.js';

/** Writes a journal as a worker would, without touching any host. */
export async function take(api: ApiUnderTest, id: string): Promise<Journal> {
  const journal = await claim(api.redis, api.keys, id, 'fake-worker');
  if (journal === undefined) throw new Error(`${id} cannot be claimed`);
  return journal;
}

/** Rolls the instances of one batch, as far as the journal is concerned. */
export async function rollBatch(journal: Journal, batch: number): Promise<void> {
  await journal.append({ type: 'batch-started', batch });
  for (const instance of journal.state.request.batches[batch] ?? []) await rollInstance(journal, instance);
  await journal.append({ type: 'batch-finished', batch });
}

async function rollInstance(journal: Journal, instance: string): Promise<void> {
  const before = `/data/www/${instance}_20180521_043510`;
  const found = { guard: { program: { real: before } }, drain: { in: true } } as Record<
    string,
    Record<string, unknown>
  >;
  for (const step of ['guard', 'drain', 'switch', 'verify', 'restore', 'record']) {
    await journal.append({ type: 'step-started', instance, step, found: found[step] ?? {} });
    const facts = step === 'record' ? recordOf(instance, before) : step === 'restore' ? { in: true } : {};
    await journal.append({ type: 'step-done', instance, step, facts, ms: 1 });
  }
}

const recordOf = (instance: string, before: string) => ({
  host: '192.0.2.1',
  program: { path: '/data/www/html', kind: 'link', real: before, after: `/data/www/${instance}_new` },
  size: '32M /data/www/html',
  startMs: 1,
  stagedMs: 2,
  startAppMs: 3,
  endMs: 4,
  processNumber: 2,
  randomStr: '1527665969426659803',
});

export async function finish(journal: Journal, state: 'succeeded' | 'failed' = 'succeeded'): Promise<void> {
  await journal.append(
    state === 'succeeded'
      ? { type: 'finished', state }
      : { type: 'finished', state, error: { code: 'rollout', what: 'server1 failed' } },
  );
}

/** All of it at once. */
export async function rollOut(api: ApiUnderTest, id: string): Promise<void> {
  const journal = await take(api, id);
  for (const batch of journal.state.request.batches.keys()) await rollBatch(journal, batch);
  await finish(journal);
}

/** A value inside an answer. */
export function at(value: Leaves | undefined | object, ...path: string[]): unknown {
  let node: unknown = value;
  for (const key of path) node = (node as Record<string, unknown> | undefined)?.[key];
  return node;
}
