import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { createToken } from '@rexdeploy/sandbox/controller';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { deepMerge } from '@rexdeploy/sandbox/merge';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { beforeAll, beforeEach, expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { uatProgram, versions, writeVersion } from './support/release-steps.js';
import { follow, healthAttempts, holdListening, PATIENT_ATTEMPTS, startDeployment } from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

/** Cancel, hold and resume, through the routes and the `rex` command. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };
const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));

const stand = standForAll({
  fleet: { names: 2 },
  config: (fleet) =>
    deepMerge(healthAttempts(fleet, PATIENT_ATTEMPTS), {
      worker: { concurrency: 1, stalled_check: '500ms' },
      environments: { prod: { names: { app2: { hold_timeout: '1s' } } } },
    }),
});
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  const { configFile, api } = stand();
  env = {
    ...process.env,
    REX_CONFIG: configFile,
    REX_SERVER: api.url,
    REX_TOKEN: await createToken(configFile, 'rex'),
  };
});

/** What the instances answered before a test, and what the deployments of that test bring. */
let before: (string | undefined)[];
let next: string;
let count = 1;
beforeEach(async () => {
  count += 1;
  next = `v${count}`;
  for (const name of ['server', 'app2']) {
    writeVersion(stand(), next, name);
    setBehaviour(uatProgram(stand(), name), {});
  }
  before = await versions(stand());
});
/** What all answer when these have got the deployment of the test, in the order of the instances. */
const after = (...got: number[]) => before.map((version, at) => (got.includes(at) ? next : version));

const rex = (...words: string[]) => runCommand(process.execPath, [REX, ...words], { env });

async function untilHeld({ client }: Stand, id: string): Promise<void> {
  for await (const { type } of client.events(id)) if (type === 'held') return;
}

async function programReleases({ fleet }: Stand, key: string): Promise<string> {
  return (await fleet.hostOf(key).ssh(`ls -d ${fleet.instance(key).programDir}_*`)).stdout;
}

test('a queued job that is cancelled never begins', async () => {
  const { client, workers } = stand();
  workers[0]?.freeze();
  const id = await startDeployment(stand());
  const cancelled = await client.post(`/jobs/${id}/cancel`);
  expect(cancelled.status).toBe(200);
  expect(cancelled.body).toMatchObject({ code: '-1', job: { state: 'cancelled', rollback: 'none' } });
  expect(cancelled.body.msg).toContain('cancelled by tests before it began');
  workers[0]?.thaw();
  // Whatever waited for a worker has been seen to by then.
  expect((await client.deploy({ k: 'server', dry_run: '1', senv: 'uat' })).body.job?.state).toBe('succeeded');
  expect((await client.post(`/jobs/${id}/cancel`)).status).toBe(200);
  expect((await client.post(`/jobs/${id}/hold`)).status).toBe(409);
  expect(await expectSound(stand())).toEqual(before);
});

test('cancelled while an instance is being verified: it is brought back, the others are not touched', async () => {
  const { client } = stand();
  const listen = holdListening(stand());
  const id = await startDeployment(stand());
  await follow(stand(), id, 'step-started server1 verify', async () => {
    expect((await client.post(`/jobs/${id}/cancel`)).status).toBe(202);
  });
  listen();
  const { body } = await client.get(`/jobs/${id}`);
  expect(body).toMatchObject({ code: '-1', job: { state: 'cancelled', rollback: 'done', progress: { done: '0' } } });
  expect(body.msg).toMatch(/cancelled by tests; server1 was cancelled; server1 was brought back/);
  expect(body.msg).toContain('not touched: server2');
  expect(await expectSound(stand())).toEqual(before);
});

test('cancelled while it is staged: what was placed is removed again', async () => {
  const { client } = stand();
  const releases = await programReleases(stand(), 'server1');
  // It comes no further than the copy of what the host has already.
  const host = stand().fleet.hostOf('server1');
  const held = join(host.dir, 'held');
  writeFileSync(held, '');
  host.putCommand('cp', `#!/bin/sh\nwhile [ -e '${held}' ]; do sleep 0.02; done\nexec ${findProgram('cp')} "$@"\n`);
  const id = await startDeployment(stand());
  await follow(stand(), id, 'step-started server1 stage', () => client.post(`/jobs/${id}/cancel`));
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('cancelled');
  rmSync(held);
  rmSync(join(host.binDir, 'cp'));
  expect(await expectSound(stand())).toEqual(before);
  expect(await programReleases(stand(), 'server1')).toBe(releases);
});

test('hold=1 stops after the first batch, survives a killed worker, binds none, and goes on when it is resumed', async () => {
  const { client, workers, addWorker } = stand();
  const id = (await client.rex({ ...DEPLOY, hold: '1' })).body.job?.id ?? '';
  await untilHeld(stand(), id);
  // The only slot is free for another name.
  expect((await client.deploy({ ...DEPLOY, k: 'app2' })).body.job?.state).toBe('succeeded');
  await workers.at(-1)?.kill9();
  await addWorker();
  const held = await client.get(`/jobs/${id}`);
  expect(held.body).toMatchObject({ code: '0', data: { code: '1' }, job: { state: 'held', progress: { done: '1' } } });
  expect((await client.post(`/jobs/${id}/hold`)).status).toBe(200);

  const { code, stdout } = await rex('resume', id);
  expect([code, stdout.slice(0, id.length)]).toEqual([0, id]);
  expect((await client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand())).toEqual(after(0, 1, 2, 3));
  expect((await client.post(`/jobs/${id}/resume`)).status).toBe(409);
});

test('a running job is held after its batch; cancelled then, what is done stays and the rest is left alone', async () => {
  const { client } = stand();
  const releases = await programReleases(stand(), 'server2');
  const listen = holdListening(stand());
  const id = await startDeployment(stand());
  await follow(stand(), id, 'step-mark server1 start', async () => {
    expect((await client.post(`/jobs/${id}/resume`)).status).toBe(409);
    expect((await client.post(`/jobs/${id}/hold`)).status).toBe(202);
    listen();
    await untilHeld(stand(), id);
    expect((await client.post(`/jobs/${id}/cancel`)).status).toBe(202);
  });
  const { body } = await client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('cancelled');
  expect(body.msg).toMatch(/cancelled by tests; on the new release: server1; not touched: server2/);
  expect(await expectSound(stand())).toEqual(after(0));
  expect(await programReleases(stand(), 'server2')).toBe(releases);
});

test('cancelled when the first batch is nearly done, it is not held after it but ends', async () => {
  const { client, fleet } = stand();
  const listen = holdListening(stand());
  const id = (await client.rex({ ...DEPLOY, hold: '1' })).body.job?.id ?? '';
  const nearlyDone = follow(stand(), id, 'step-started server1 restore', async () => {
    expect((await client.post(`/jobs/${id}/cancel`)).status).toBe(202);
    expect((await client.post(`/jobs/${id}/hold`)).body.msg).toContain('is being cancelled');
    fleet.lb?.sshd.thaw();
  });
  // The hand-back waits for the balancer's host.
  await follow(stand(), id, 'step-mark server1 start', async () => {
    fleet.lb?.sshd.freeze();
    listen();
  });
  await nearlyDone;
  const { body } = await client.get(`/jobs/${id}`);
  expect(body.msg).toMatch(/cancelled by tests; on the new release: server1; not touched: server2/);
  expect(await expectSound(stand())).toEqual(after(0));
});

test('a job that is held for too long is cancelled', async () => {
  const { client } = stand();
  const id = (await client.rex({ ...DEPLOY, k: 'app2', hold: '1' })).body.job?.id ?? '';
  const { body } = await client.get(`/jobs/${id}?wait=60`);
  expect(body.job?.state).toBe('cancelled');
  expect(body.msg).toContain('cancelled by hold_timeout; on the new release: app2-1');
  expect(await expectSound(stand())).toEqual(after(2));
});

test('who only reads cancels nothing; a job that nobody knows is told as such', async () => {
  const { client, clientFor, workers } = stand();
  workers.at(-1)?.freeze();
  const id = await startDeployment(stand());
  const viewer = await clientFor({ name: 'viewer', role: 'viewer' });
  expect((await viewer.post(`/jobs/${id}/cancel`)).status).toBe(403);
  expect((await client.post('/jobs/dep-00000000000000000000000000/cancel')).status).toBe(404);
  workers.at(-1)?.thaw();
  expect((await client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
});

/** Each is a process of its own, one after another. */
const COMMANDS_MS = 180_000;

test('rex: rollback, check, drained and unlock end as their jobs do', { timeout: COMMANDS_MS }, async () => {
  expect((await rex('check', '--k', 'server')).code).toBe(0);
  expect((await rex('deploy', '--k', 'server', '--senv', 'uat')).code).toBe(0);
  expect((await rex('rollback', '--k', 'server')).code).toBe(0);
  expect(await expectSound(stand())).toEqual(before);
  expect((await rex('drained')).stdout).toBe('none\n');
  expect((await rex('unlock', '--k', 'server')).code).toBe(3);
  setBehaviour(uatProgram(stand()), { fail: 'start' });
  const failed = await rex('deploy', '--k', 'server', '--senv', 'uat', '--on-failure', 'halt', '--json');
  expect(failed.code).toBe(1);
  expect(JSON.parse(failed.stdout)).toMatchObject({ code: '-1', job: { state: 'failed' } });
  expect((await rex('drained', '--json')).stdout).toContain('"instance": "server1"');
});
