import type { JournalEvent } from '@rexdeploy/shared/journal/events';
import { fold } from '@rexdeploy/shared/journal/reduce';
import { expect, test } from 'vitest';
import { failureOf } from './failure.js';
import { lanesOf } from './lanes.js';
import { Rates } from './rates.js';

const at = (second: number): string => new Date(Date.UTC(2026, 2, 2, 6, 0, second)).toISOString();

const accepted: JournalEvent = {
  type: 'accepted',
  at: at(0),
  id: 'dep-1',
  stampMs: 0,
  request: {
    action: 'deploy',
    k: 'server',
    name: 'server',
    batches: [['server1'], ['server2']],
    source: { kind: 'senv', environment: 'uat' },
    full: '1',
    dryRun: false,
    sprint: false,
    param: {},
    by: 'ci',
  },
};
const step = (type: 'step-started' | 'step-done' | 'undo-done', second: number, name: string, instance = 'server1') => {
  const scope = { at: at(second), instance, step: name };
  if (type === 'step-started') return { type, ...scope, found: { in: true } };
  return { type, ...scope, facts: {}, ms: 1 };
};
const error = { code: 'health', what: 'no answer', whatToDo: 'look' };

function stateOf(events: JournalEvent[]) {
  const state = fold([accepted, { type: 'claimed', at: at(0), worker: 'w', epoch: 1 }, ...events]);
  if (state === undefined) throw new Error('no state');
  return state;
}

test('lanes lie on one time line, from the first step to now, with what was out of rotation marked', () => {
  const state = stateOf([
    step('step-started', 0, 'stage'),
    step('step-started', 0, 'stage', 'server2'),
    step('step-done', 5, 'stage'),
    step('step-done', 5, 'stage', 'server2'),
    step('step-started', 5, 'drain'),
    step('step-done', 6, 'drain'),
    step('step-started', 6, 'switch'),
  ]);
  const [first, second] = lanesOf(state, Date.parse(at(10))).map(({ lanes: [lane] }) => lane);
  expect(first?.bars.map(({ from, to }) => [from, to])).toEqual([
    [0, 0.5],
    [0.5, 0.6],
    [0.6, 1],
  ]);
  expect([first?.status, first?.out]).toEqual(['running', { from: 0.5, to: 1, ms: 5_000, open: true }]);
  // Its package has travelled ahead of its turn.
  expect([second?.status, second?.out]).toEqual(['ready', undefined]);
});

test('after a failure it is told what was brought back and what was not touched, and the cause comes first', () => {
  const state = stateOf([
    step('step-started', 0, 'stage', 'server2'),
    step('step-done', 1, 'stage', 'server2'),
    step('step-started', 1, 'drain'),
    step('step-done', 2, 'drain'),
    step('step-started', 2, 'verify'),
    { type: 'step-failed', at: at(3), instance: 'server1', step: 'verify', error, ms: 1 },
    step('undo-done', 4, 'verify'),
    step('undo-done', 5, 'drain'),
    step('undo-done', 5, 'stage', 'server2'),
    {
      type: 'finished',
      at: at(6),
      state: 'failed',
      error: { code: 'rollout', what: 'server1 failed at verify: no answer' },
    },
  ]);
  expect(lanesOf(state, 0).map(({ lanes: [lane] }) => [lane?.status, lane?.out?.ms])).toEqual([
    ['back', 4_000],
    ['waiting', undefined],
  ]);
  expect(failureOf(state)).toEqual({
    code: 'health',
    what: 'no answer',
    where: 'server1 · verify',
    whatToDo: 'look',
    whole: 'server1 failed at verify: no answer',
  });
});

test('a rate looks at the last three seconds', () => {
  const rates = new Rates();
  const progress = (second: number, bytes: number): void =>
    rates.note({ type: 'step-progress', at: at(second), instance: 'server1', step: 'stage', bytes, bytesTotal: 9_000 });
  progress(0, 0);
  expect(rates.of('server1')).toBeUndefined();
  progress(10, 1_000);
  progress(12, 5_000);
  expect(rates.of('server1')).toBe(2_000);
  expect(rates.of('server2')).toBeUndefined();
});
