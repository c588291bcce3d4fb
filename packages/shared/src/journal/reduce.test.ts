import { describe, expect, test } from 'vitest';
import { envelope } from './envelope.js';
import { eventSchema, type JournalEvent, type NewEvent } from './events.js';
import { fold } from './reduce.js';

const START = Date.parse('2018-05-29T20:37:56.000Z');
const SETTINGS = { timezone: 'Asia/Shanghai', printStdout: 0 as const, directory: '/data/rex' };
const request = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1'], ['server2']],
  source: { kind: 'senv' as const, environment: 'uat' },
  full: '1' as const,
  dryRun: false,
  sprint: false,
  param: { action: 'deploy', k: 'server', senv: 'uat', token: '1527665686…dgpwr' },
  by: 'ci',
};

/** Events one second apart. */
function journal(...events: NewEvent[]): JournalEvent[] {
  const accepted: NewEvent = { type: 'accepted', id: 'dep-1', request, stampMs: START };
  return [accepted, ...events].map((event, second) =>
    eventSchema.parse({ ...event, at: new Date(START + second * 1000).toISOString() }),
  );
}

const on = (instance: string, step: string) => ({ instance, step });

describe('fold', () => {
  test('an empty journal is no deployment, and one without its beginning is refused', () => {
    expect(fold([])).toBeUndefined();
    const [, started] = journal({ type: 'batch-started', batch: 0 });
    expect(() => fold(started === undefined ? [] : [started])).toThrow('begins with "batch-started"');
  });

  test('a step that was begun and not ended shows what it found', () => {
    const state = fold(journal({ type: 'step-started', ...on('server1', 'drain'), found: { exact: 'server a;' } }));
    expect(state?.instances.server1?.steps).toMatchObject([
      { step: 'drain', status: 'running', found: { exact: 'server a;' } },
    ]);
    expect(state?.current).toEqual({ instance: 'server1', step: 'drain' });
  });

  test('another worker goes on: the state is running again under its name', () => {
    const state = fold(
      journal(
        { type: 'claimed', worker: 'a', epoch: 1 },
        { type: 'handed-back', worker: 'a', reason: 'stopping' },
        { type: 'claimed', worker: 'b', epoch: 2 },
      ),
    );
    expect(state).toMatchObject({ state: 'running', worker: 'b', epoch: 2 });
  });

  test('what is noted after the end changes a record and not the end', () => {
    const events = journal(
      { type: 'finished', state: 'succeeded' },
      { type: 'rolled-back', instance: 'server1', by: 'dep-2' },
      { type: 'rolled-back', instance: 'server1', by: 'dep-3' },
      { type: 'marked', instance: 'server1', marked: true, by: 'ci' },
    );
    const [ended, noted] = [fold(events.slice(0, 2)), fold(events)];
    expect(noted).toEqual({
      ...ended,
      instances: { server1: expect.objectContaining({ rolledBack: 2, marked: true }) },
    });
  });

  test('a plan may say in which batches, and what runs already counts as done', () => {
    const plan = (instance: string) => ({
      instance,
      host: 'h',
      programDir: '/p',
      programRelease: '/p_20180530_043756',
    });
    const instances = [{ ...plan('server1'), unchanged: true }, plan('server2')];
    const state = fold(journal({ type: 'planned', suffix: '', instances, batches: [['server2']] }));
    expect(state?.batches).toEqual([{ instances: ['server2'], status: 'waiting' }]);
    expect(state && envelope(state, SETTINGS, START).job?.progress).toMatchObject({ done: '1', total: '2' });
  });
});

describe('envelope', () => {
  const record = {
    host: '192.168.0.76',
    program: { path: '/d/html1', kind: 'link' as const, real: '/d/html1_1', after: '/d/html1_2' },
    size: '32M /d/html1_2',
    startMs: START + 900,
    stagedMs: START + 15_100,
    startAppMs: START + 19_000,
    endMs: START + 23_999,
    processNumber: 2,
    randomStr: '1527665969426659803',
  };

  test('while it runs: code 0, data.code 1, no batch yet', () => {
    const state = fold(journal({ type: 'batch-started', batch: 0 }));
    if (state === undefined) throw new Error('no state');
    const answer = envelope(state, SETTINGS, START + 5_400);
    expect(answer).toMatchObject({ code: '0', data: { code: '1', data: {} }, take: '5', respon: { ret: '' } });
    expect(answer.parseparameters.requestCmd).toBe(
      'deploy,--k="server",--senv="uat",--token="1527665686…dgpwr",--w="1"',
    );
    expect(answer.respon.cmd).toBe('rex deploy --k server --senv uat');
  });

  test('an instance record has its times in the configured zone and takes that agree with them', () => {
    const state = fold(
      journal(
        { type: 'batch-started', batch: 0 },
        { type: 'step-started', ...on('server1', 'record'), found: {} },
        { type: 'step-done', ...on('server1', 'record'), facts: record, ms: 1 },
        { type: 'batch-finished', batch: 0 },
      ),
    );
    if (state === undefined) throw new Error('no state');
    expect(envelope(state, SETTINGS, START).data.data).toMatchObject({
      '0': {
        code: '0',
        msg: 'server1 have finshed deploy',
        starttime: '2018-05-30 04:37:57',
        data: {
          '0': {
            start_time: '2018-05-30 04:37:56',
            end_time: '2018-05-30 04:38:19',
            deploy_take: 'Total Take:23 || Rsync Time:15 || Start App Time:4',
            deloy_configdir_after: {},
            deloy_prodir_real_before: {},
            processNumber: '2',
          },
        },
      },
    });
  });

  test('a failed roll-out: code -1 everywhere, the failed batch last, the reason in msg and stderr', () => {
    const error = { code: 'rollout', what: 'server1 failed at switch' };
    const state = fold(
      journal(
        { type: 'batch-started', batch: 0 },
        { type: 'batch-failed', batch: 0, message: 'server1 failed at switch' },
        { type: 'finished', state: 'failed', error },
      ),
    );
    if (state === undefined) throw new Error('no state');
    const answer = envelope(state, SETTINGS, START);
    expect(answer).toMatchObject({ code: '-1', msg: error.what, data: { code: '-1', msg: error.what } });
    expect(answer.respon).toMatchObject({ ret: '1', stderr: error.what });
    expect(Object.keys(answer.data.data)).toEqual(['0']);
  });
});
