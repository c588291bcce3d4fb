import { envelope } from '@rexdeploy/shared/journal/envelope';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import { fold } from '@rexdeploy/shared/journal/reduce';
import { expect, test } from 'vitest';
import type { Folded } from '../deployments.js';
import { ReadyAnswers } from './ready-answers.js';

const SETTINGS = { timezone: 'UTC', printStdout: 0, directory: '/srv/rex' } as const;
const TOKEN = `1772433470${'wodb'.repeat(8)}`;
const START_MS = Date.parse('2026-03-02T06:37:56.000Z');
const at = (seconds: number): string => new Date(START_MS + seconds * 1_000).toISOString();

const request: DeployRequest = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1']],
  source: { kind: 'senv', environment: 'uat' },
  full: '1',
  dryRun: false,
  sprint: true,
  param: { action: 'deploy', k: 'server', senv: 'uat' },
  by: 'ci',
};

const events: JournalEvent[] = [
  { type: 'accepted', at: at(0), id: 'dep-1', request, stampMs: START_MS },
  { type: 'claimed', at: at(1), worker: 'worker-1', epoch: 1 },
  { type: 'batch-started', at: at(2), batch: 0 },
  { type: 'log', at: at(3), level: 'info', message: `fetched https://store/a.zip?token=${TOKEN}&sig=secret` },
  { type: 'finished', at: at(9), state: 'succeeded' },
];

/** As the first `count` entries of the journal say. */
function after(count: number, id = 'dep-1'): Folded {
  const [first, ...rest] = events.slice(0, count);
  const state = fold(first?.type === 'accepted' ? [{ ...first, id }, ...rest] : []);
  if (state === undefined) throw new Error('no journal');
  return { state, lastId: `${count}-0`, size: count };
}

test('an answer is that of the journal at every entry and second, however often it is asked for', () => {
  const ready = new ReadyAnswers(SETTINGS);
  for (let count = 1; count < events.length; count += 1) {
    for (const second of [10, 10, 11, 12]) {
      const found = after(count);
      const body: unknown = JSON.parse(String(ready.bodyOf(found, 'page', START_MS + second * 1_000)));
      const { respon, ...rest } = envelope(found.state, SETTINGS, START_MS + second * 1_000);
      expect(body).toMatchObject(rest);
      expect(body).toMatchObject({ take: String(second), job: { state: count === 1 ? 'queued' : 'running' } });
      expect(respon.code).toBe('0');
    }
  }
});

test('as long as nothing changes the same bytes are sent, and once it has ended for good', () => {
  const ready = new ReadyAnswers(SETTINGS);
  const bodyAt = (count: number, second: number) => ready.bodyOf(after(count), 'page', START_MS + second * 1_000);
  const first = bodyAt(3, 10);
  expect(bodyAt(3, 10.4)).toBe(first);
  expect(bodyAt(3, 11)).not.toBe(first);
  const end = bodyAt(events.length, 11);
  expect(JSON.parse(String(end))).toMatchObject({ take: '9', job: { state: 'succeeded' } });
  expect(bodyAt(events.length, 5_000)).toBe(end);
});

test('secrets are masked in either style, and each style is kept for itself', () => {
  const ready = new ReadyAnswers(SETTINGS);
  const bodies = (['page', 'original', 'page', 'original'] as const).map((style) =>
    ready.bodyOf(after(events.length), style, START_MS),
  );
  expect(bodies[2]).toBe(bodies[0]);
  expect(bodies[3]).toBe(bodies[1]);
  for (const body of bodies) {
    expect(String(body)).toContain('1772433470…wodb');
    expect(String(body)).not.toMatch(new RegExp(`${TOKEN}|secret`));
  }
  expect(JSON.parse(String(bodies[0]))).toMatchObject({ take: '9' });
  expect(JSON.parse(String(bodies[1]))).toMatchObject({ take: 9 });
  expect(ready.kept.answers).toBe(2);
});

test('neither number nor size grows past its limit', () => {
  const one = new ReadyAnswers(SETTINGS).bodyOf(after(3), 'page', START_MS).length;
  const few = new ReadyAnswers(SETTINGS, { max: 10, maxBytes: one * 100 });
  const small = new ReadyAnswers(SETTINGS, { max: 100, maxBytes: one * 5 });
  for (let count = 0; count < 50; count += 1) {
    for (const ready of [few, small]) {
      const { job } = JSON.parse(String(ready.bodyOf(after(3, `dep-${count}`), 'page', START_MS)));
      expect(job.id).toBe(`dep-${count}`);
    }
  }
  expect(few.kept.answers).toBe(10);
  expect(small.kept.answers).toBeLessThanOrEqual(5);
  expect(small.kept.bytes).toBeLessThanOrEqual(one * 5);

  const none = new ReadyAnswers(SETTINGS, { max: 10, maxBytes: 10 });
  expect(JSON.parse(String(none.bodyOf(after(3), 'page', START_MS)))).toMatchObject({ job: { id: 'dep-1' } });
  expect(none.kept).toEqual({ answers: 0, bytes: 0 });
});
