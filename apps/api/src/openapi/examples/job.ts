import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import { envelope, jobView } from '@rexdeploy/shared/journal/envelope';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import { fold } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { documentedAnswer } from './documented-answer.js';
import { SETTINGS, TOKEN } from './frame.js';

/** Answers of jobs, made of journals as the API makes them. */

export const JOB_ID = 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ';
export const PLAN = '5f0c0a4b9e0d3c7a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899'.slice(0, 64);
const STAMP = '20260302_143756';

const REQUEST: DeployRequest = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1'], ['server2']],
  source: { kind: 'senv', environment: 'uat' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: { action: 'deploy', k: 'server', senv: 'uat', token: TOKEN },
  by: 'ci',
};

type Asked = Partial<DeployRequest>;
type Event = JournalEvent extends infer E ? (E extends unknown ? Omit<E, 'at'> : never) : never;

/** The state after these events, one second after the other. */
function stateAfter(asked: Asked, ...events: readonly Event[]): DeploymentState {
  const beginMs = Date.parse('2026-03-02T06:37:56.000Z');
  const request = { ...REQUEST, ...asked, param: { ...asked.param, ...REQUEST.param, ...asked.param } };
  const accepted: Event = { type: 'accepted', id: JOB_ID, request, stampMs: beginMs };
  const journal = [accepted, ...events].map(
    (event, second) => ({ ...event, at: new Date(beginMs + second * 1000).toISOString() }) as JournalEvent,
  );
  const state = fold(journal);
  if (state === undefined) throw new Error('a journal has at least one event');
  return state;
}

const answerAfter = (asked: Asked, ...events: readonly Event[]): Envelope => {
  const state = stateAfter(asked, ...events);
  return envelope(state, SETTINGS, state.lastMs);
};

const claimed: Event = { type: 'claimed', worker: 'worker1-4711', epoch: 1 };
const staging: Event = { type: 'step-started', instance: 'server1', step: 'stage', found: {} };
const moving: Event = {
  type: 'step-progress',
  instance: 'server1',
  step: 'stage',
  bytes: 8_388_608,
  bytesTotal: 33_554_432,
};
const succeeded: Event = { type: 'finished', state: 'succeeded' };

export const accepted = answerAfter({});
export const running = answerAfter({}, claimed, staging, moving);
export const held = answerAfter({}, claimed, { type: 'held', batch: 0 });

/** The documented final answer, with the one field that is added to it. */
export const ended = {
  ...documentedAnswer,
  job: {
    ...jobView(stateAfter({}, claimed, succeeded)),
    created_at: '2018-05-29T20:37:56.000Z',
    progress: {
      done: '2',
      total: '2',
      instance: 'server2',
      step: 'record',
      bytes: '67108864',
      bytes_total: '67108864',
    },
  },
};

export const failed = answerAfter(
  {},
  claimed,
  { type: 'batch-started', batch: 0 },
  { type: 'step-started', instance: 'server1', step: 'switch', found: {} },
  { type: 'step-done', instance: 'server1', step: 'switch', facts: {}, ms: 3_900 },
  { type: 'step-started', instance: 'server1', step: 'verify', found: {} },
  {
    type: 'step-failed',
    instance: 'server1',
    step: 'verify',
    error: { code: 'health', what: 'no answer with status 200 after 30 attempts', where: 'server1' },
    ms: 30_000,
  },
  { type: 'undo-started', instance: 'server1', step: 'switch' },
  { type: 'undo-done', instance: 'server1', step: 'switch', facts: {}, ms: 3_500 },
  { type: 'batch-failed', batch: 0, message: 'server1 verify: no answer with status 200 after 30 attempts' },
  {
    type: 'finished',
    state: 'failed',
    error: {
      code: 'rollout',
      what: 'server1 failed at verify: no answer with status 200 after 30 attempts',
      where: 'server',
      whatToDo:
        'server1 was brought back to what it had, server2 was not touched; deploy again when the cause is removed',
    },
  },
);

const difference = {
  added: 1,
  changed: 1,
  removed: 1,
  unchanged: 409,
  bytes: 2_048,
  paths: ['+ lib/new.jar', '~ app.js', '- old.txt'],
};
export const dryRun = answerAfter(
  { dryRun: true, param: { dry_run: '1' } },
  claimed,
  { type: 'difference', instance: 'server1', program: difference },
  {
    type: 'difference',
    instance: 'server2',
    program: difference,
    config: { ...difference, added: 0, paths: ['~ a.xml'] },
  },
  { type: 'plan-hash', hash: PLAN },
  succeeded,
);

export const checked = answerAfter(
  { action: 'check', source: { kind: 'none' }, param: { action: 'check' } },
  claimed,
  {
    type: 'checked',
    instance: 'server1',
    findings: [
      { check: 'log-in', ok: true, what: 'deploy@192.168.0.76' },
      { check: 'space', ok: false, what: '/data/www has 12M, the release needs 32M' },
    ],
  },
  succeeded,
);

export const rolledBack = answerAfter(
  { action: 'rollback', source: { kind: 'release', to: 'former' }, param: { action: 'rollback' } },
  claimed,
  {
    type: 'planned',
    suffix: STAMP,
    instances: ['server1', 'server2'].map((key) => ({
      instance: key,
      host: '192.168.0.76',
      programDir: '/data/www/html1',
      programRelease: `/data/www/html1_${STAMP}`,
      unchanged: true,
    })),
  },
  succeeded,
);

/** One message of a job's stream. */
export const streamed: JournalEvent[] = [
  { ...staging, at: '2026-03-02T06:37:58.000Z' } as JournalEvent,
  { ...moving, at: '2026-03-02T06:37:59.000Z' } as JournalEvent,
];
