import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';

/** The journal of a two-instance deployment, with the paths of the documented example, for tests without hosts. */

const BEGIN_MS = Date.parse('2026-03-02T06:37:56.000Z');
const STAMP = '20260302_143756';
const HOSTS = { server1: '192.168.0.76', server2: '192.168.0.248' } as const;

const REQUEST: DeployRequest = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1'], ['server2']],
  source: { kind: 'senv', environment: 'uat' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: { action: 'deploy', k: 'server', senv: 'uat', token: '1772433470…wodb' },
  by: 'ci',
};

/** `failing`: server2 does not come up. */
export function sampleJournal(id: string, outcome: 'succeeded' | 'failing' | 'dry-run' = 'succeeded'): JournalEvent[] {
  let atMs = BEGIN_MS;
  const at = (ms = 0): string => {
    atMs += ms;
    return new Date(atMs).toISOString();
  };
  const dryRun = outcome === 'dry-run';
  const head: JournalEvent[] = [
    { type: 'accepted', at: at(), id, request: { ...REQUEST, dryRun }, stampMs: BEGIN_MS },
    { type: 'claimed', at: at(40), worker: 'worker-1', epoch: 1 },
    { type: 'planned', at: at(5), suffix: STAMP, instances: Object.keys(HOSTS).map((key) => plan(key as Instance)) },
    {
      type: 'package-resolved',
      at: at(1_800),
      program: 'm-1',
      configs: {},
      origin: 'uat server1',
      files: 412,
      size: 33_554_432,
    },
  ];
  if (dryRun) {
    return [...head, difference('server1', at(20)), difference('server2', at(20)), finished(at(10), 'succeeded')];
  }
  const first = batch(0, 'server1', at);
  if (outcome === 'succeeded') return [...head, ...first, ...batch(1, 'server2', at), finished(at(10), 'succeeded')];
  const error = { code: 'health', what: 'no answer with status 200 after 30 attempts', where: 'server2 verify' };
  const scope = { instance: 'server2', step: 'verify' };
  return [
    ...head,
    ...first,
    { type: 'batch-started', at: at(10), batch: 1 },
    { type: 'step-started', at: at(10), ...scope, found: {} },
    { type: 'step-failed', at: at(30_000), ...scope, error, ms: 30_000 },
    { type: 'batch-failed', at: at(500), batch: 1, message: 'server2 verify: no answer with status 200' },
    { ...finished(at(10), 'failed'), error },
  ];
}

type Instance = keyof typeof HOSTS;

const finished = (at: string, state: 'succeeded' | 'failed') => ({ type: 'finished' as const, at, state });

function batch(index: number, instance: Instance, at: (ms?: number) => string): JournalEvent[] {
  const startMs = Date.parse(at());
  const step = { instance, step: 'switch' };
  const events: JournalEvent[] = [
    { type: 'batch-started', at: at(10), batch: index },
    { type: 'step-progress', at: at(1_500), instance, step: 'stage', bytes: 33_554_432, bytesTotal: 33_554_432 },
    { type: 'step-started', at: at(5_200), ...step, found: {} },
    { type: 'step-done', at: at(3_900), ...step, facts: {}, ms: 3_900 },
  ];
  const endMs = Date.parse(at(600));
  const facts = recordFacts(instance, { startMs, stagedMs: startMs + 1_510, startAppMs: endMs - 3_000, endMs });
  return [
    ...events,
    { type: 'step-started', at: at(), instance, step: 'record', found: {} },
    { type: 'step-done', at: at(15), instance, step: 'record', facts: { ...facts }, ms: 15 },
    { type: 'batch-finished', at: at(5), batch: index },
  ];
}

const number = (instance: Instance): string => instance.slice(-1);
const program = (instance: Instance): string => `/data/www/html${number(instance)}`;
const config = (instance: Instance): string => `/data/www/config${number(instance)}`;

function plan(instance: Instance) {
  return {
    instance,
    host: HOSTS[instance],
    programDir: program(instance),
    configDir: config(instance),
    programRelease: `${program(instance)}_${STAMP}`,
    configRelease: `${config(instance)}_${STAMP}`,
  };
}

function recordFacts(instance: Instance, times: Record<'startMs' | 'stagedMs' | 'startAppMs' | 'endMs', number>) {
  const side = (path: string) => ({
    path,
    kind: 'link' as const,
    real: `${path}_20260221_143510`,
    after: `${path}_${STAMP}`,
  });
  return {
    ...times,
    host: HOSTS[instance],
    program: side(program(instance)),
    config: side(config(instance)),
    size: `32M ${program(instance)}_${STAMP} 24K ${config(instance)}_${STAMP}`,
    processNumber: 2,
    randomStr: `${Math.floor(times.startMs / 1000)}${instance === 'server1' ? '426659803' : '630166853'}`,
  };
}

function difference(instance: Instance, at: string): JournalEvent {
  const paths = ['+ lib/new.jar', '~ app.js', '- old.txt'];
  return {
    type: 'difference',
    at,
    instance,
    program: { added: 1, changed: 1, removed: 1, unchanged: 409, bytes: 2_048, paths },
  };
}
