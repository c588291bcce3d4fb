import { describe, expect, test } from 'vitest';
import { eventSchema, type JournalEvent, type NewEvent } from './events.js';
import { drainedIn, type LedgerChange, ledgerChange, parseDrained } from './ledger.js';
import { fold, reduce } from './reduce.js';

const AT = '2018-05-29T20:37:56.000Z';
const accepted: NewEvent = {
  type: 'accepted',
  id: 'dep-1',
  stampMs: 0,
  request: {
    action: 'deploy',
    k: 'server',
    name: 'server',
    batches: [['server1']],
    source: { kind: 'none' },
    full: '1',
    dryRun: false,
    sprint: false,
    param: {},
    by: 'ci',
  },
};
const on = (step: string) => ({ instance: 'server1', step });
const drain = (found: Record<string, unknown>): NewEvent => ({ type: 'step-started', ...on('drain'), found });
const found = { in: true, exact: 'server 10.0.0.1 weight=7;' };

/** The changes that a journal makes, one after another. */
function changes(...events: NewEvent[]): (LedgerChange | undefined)[] {
  const stamped = [accepted, ...events].map((event): JournalEvent => eventSchema.parse({ ...event, at: AT }));
  let state = fold(stamped.slice(0, 1));
  return stamped.slice(1).map((event) => {
    state = reduce(state, event);
    return ledgerChange(state, event);
  });
}
const stateAfter = (...events: NewEvent[]) =>
  fold([accepted, ...events].map((event) => eventSchema.parse({ ...event, at: AT })));

describe('the drain ledger', () => {
  test('an entry is there from before the balancer is touched until it is given back', () => {
    const [entered, left] = changes(drain(found), { type: 'step-done', ...on('restore'), facts: {}, ms: 1 });
    expect(entered).toEqual({
      instance: 'server1',
      entry: { name: 'server', instance: 'server1', deployment: 'dep-1', since: AT, ...found },
    });
    expect(left).toEqual({ instance: 'server1', entry: undefined });
  });

  test('what was out of rotation before is not out by our hand', () => {
    const [entered, left] = changes(drain({ in: false, exact: 'down' }), {
      type: 'undo-done',
      ...on('drain'),
      facts: {},
      ms: 1,
    });
    expect([entered, left]).toEqual([undefined, undefined]);
  });

  test('what an earlier deployment left out stays owed when this one fails, and is given back when it succeeds', () => {
    const undone: NewEvent = { type: 'undo-done', ...on('drain'), facts: {}, ms: 1 };
    const restored: NewEvent = { type: 'step-done', ...on('restore'), facts: {}, ms: 1 };
    expect(changes(drain({ ...found, owed: true }), undone)[1]).toBeUndefined();
    expect(changes(drain({ ...found, owed: true }), restored)[1]).toEqual({ instance: 'server1', entry: undefined });
  });

  test('an instance that is taken out again for its bring-back is entered again', () => {
    const again = changes(drain(found), { type: 'undo-started', ...on('restore') })[1];
    expect(again?.entry).toMatchObject(found);
  });

  test('what is left on purpose keeps its entry, with the reason', () => {
    const kept = changes(drain(found), { type: 'left', instance: 'server1', why: 'on_failure is halt', kept: true })[1];
    expect(kept?.entry).toMatchObject({ ...found, kept: 'on_failure is halt' });
    expect(changes(drain(found), { type: 'left', instance: 'server1', why: 'gone' })[1]).toBeUndefined();
  });

  test('a sweep that gave back ends the entry', () => {
    expect(changes({ type: 'given-back', instance: 'server1', exact: 'up' })).toEqual([
      { instance: 'server1', entry: undefined },
    ]);
  });

  test('the state alone tells what is out, should Redis have lost the ledger', () => {
    const out = stateAfter(drain(found));
    const back = stateAfter(
      drain(found),
      { type: 'step-started', ...on('restore'), found: {} },
      {
        type: 'step-done',
        ...on('restore'),
        facts: {},
        ms: 1,
      },
    );
    expect(out === undefined ? [] : drainedIn(out)).toMatchObject([found]);
    expect(back === undefined ? ['?'] : drainedIn(back)).toEqual([]);
  });

  test('an entry that cannot be read is none', () => {
    expect(parseDrained('{"name":')).toBeUndefined();
    expect(parseDrained('{"name":"server"}')).toBeUndefined();
  });
});
