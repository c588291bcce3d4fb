import { describe, expect, test } from 'vitest';
import type { DeployRequest, JournalEvent } from '../journal/events.js';
import { fold, reduce } from '../journal/reduce.js';
import { countEvent } from './count-event.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const request: DeployRequest = {
  action: 'deploy',
  k: 'server1',
  name: 'server',
  batches: [['server1']],
  source: { kind: 'none' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: {},
  by: 'ci',
};
const accepted = (more: Partial<DeployRequest> = {}): JournalEvent => ({
  type: 'accepted',
  at: at(0),
  id: 'dep-1',
  request: { ...request, ...more },
  stampMs: 0,
});
const scope = { instance: 'server1', step: 'stage' };
const error = (code: string) => ({ code, what: 'w' });
const progress = (bytes: number): JournalEvent => ({
  type: 'step-progress',
  at: at(1),
  ...scope,
  bytes,
  bytesTotal: 9,
});
const left: JournalEvent = { type: 'left', at: at(1), instance: 'server1', why: 'w' };

const ROWS: [string, JournalEvent[], JournalEvent, Record<string, number>][] = [
  [
    'an end',
    [accepted()],
    { type: 'finished', at: at(7), state: 'succeeded' },
    {
      'rexdeploy_deployments_total|server|deploy|succeeded': 1,
      'rexdeploy_deployment_duration_seconds_bucket|deploy|succeeded|10': 1,
      'rexdeploy_deployment_duration_seconds_sum|deploy|succeeded': 7,
    },
  ],
  [
    'the end of one that was in line, from its turn on',
    [accepted(), { type: 'turn', at: at(6), stampMs: 0 }],
    { type: 'finished', at: at(7), state: 'succeeded' },
    {
      'rexdeploy_deployments_total|server|deploy|succeeded': 1,
      'rexdeploy_deployment_duration_seconds_bucket|deploy|succeeded|1': 1,
      'rexdeploy_deployment_duration_seconds_sum|deploy|succeeded': 1,
    },
  ],
  [
    'a failure that left an instance, of a rollback that took days',
    [accepted({ action: 'rollback' }), left],
    { type: 'finished', at: at(90_000), state: 'failed' },
    {
      'rexdeploy_deployments_total|server|rollback|failed': 1,
      'rexdeploy_deployments_not_brought_back_total|server|rollback': 1,
      'rexdeploy_deployment_duration_seconds_bucket|rollback|failed|+Inf': 1,
      'rexdeploy_deployment_duration_seconds_sum|rollback|failed': 90_000,
    },
  ],
  [
    'a dry run',
    [accepted({ dryRun: true })],
    { type: 'finished', at: at(1), state: 'failed' },
    {
      'rexdeploy_deployments_total|server|dry_run|failed': 1,
      'rexdeploy_deployment_duration_seconds_bucket|dry_run|failed|1': 1,
      'rexdeploy_deployment_duration_seconds_sum|dry_run|failed': 1,
    },
  ],
  ['bytes', [accepted(), progress(3)], progress(5), { 'rexdeploy_transferred_bytes_total|server': 2 }],
  [
    'bytes of a transfer that began again',
    [accepted(), progress(5)],
    progress(3),
    { 'rexdeploy_transferred_bytes_total|server': 3 },
  ],
  ['no more bytes', [accepted(), progress(5)], progress(5), {}],
  [
    'an attempt that is repeated',
    [accepted()],
    { type: 'step-retried', at: at(1), ...scope, attempt: 1, delayMs: 1, error: error('connection') },
    { 'rexdeploy_step_retries_total|stage|connection': 1, 'rexdeploy_ssh_errors_total|connection': 1 },
  ],
  [
    'a step',
    [accepted()],
    { type: 'step-done', at: at(1), ...scope, facts: {}, ms: 100 },
    {
      'rexdeploy_step_duration_seconds_bucket|stage|done|0.1': 1,
      'rexdeploy_step_duration_seconds_sum|stage|done': 0.1,
    },
  ],
  [
    'a step that failed, and not on the way to a host',
    [accepted()],
    { type: 'step-failed', at: at(1), ...scope, error: error('health'), ms: 2_500 },
    {
      'rexdeploy_step_duration_seconds_bucket|stage|failed|2.5': 1,
      'rexdeploy_step_duration_seconds_sum|stage|failed': 2.5,
    },
  ],
  [
    'one that could not be undone',
    [accepted()],
    { type: 'undo-failed', at: at(1), ...scope, error: error('auth'), ms: 0 },
    {
      'rexdeploy_step_duration_seconds_bucket|stage|undo-failed|0.05': 1,
      'rexdeploy_step_duration_seconds_sum|stage|undo-failed': 0,
      'rexdeploy_ssh_errors_total|auth': 1,
    },
  ],
  ['a line of the log', [accepted()], { type: 'log', at: at(1), level: 'info', message: 'm' }, {}],
];

describe('what an event counts', () => {
  test.for(ROWS)('%s', ([_, former, event, counts]) => {
    const before = fold(former) ?? expect.fail('no journal');
    expect(Object.fromEntries(countEvent(before, reduce(before, event), event))).toEqual(counts);
  });
});
