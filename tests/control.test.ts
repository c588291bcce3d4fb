import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { createToken } from '@rexdeploy/sandbox/controller';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { Client } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { follow, startDeployment, startSlowDeployment } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

/** Cancel, hold and resume, through the routes and the `rex` command. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };
const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));

async function rex(stand: Stand, ...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const token = await createToken(stand.configFile, `rex-${words[0]}-${words.length}`);
  const env = { ...process.env, REX_CONFIG: stand.configFile, REX_SERVER: stand.api.url, REX_TOKEN: token };
  return runCommand(process.execPath, [REX, ...words], { env });
}

async function untilHeld({ client }: Stand, id: string): Promise<void> {
  for await (const { type } of client.events(id)) if (type === 'held') return;
}

test('a queued job that is cancelled never begins', async ({ start }) => {
  const stand = await start({ workers: 0 });
  const id = await startDeployment(stand);
  const cancelled = await stand.client.post(`/jobs/${id}/cancel`);
  expect(cancelled.status).toBe(200);
  expect(cancelled.body).toMatchObject({ code: '-1', job: { state: 'cancelled', rollback: 'none' } });
  expect(cancelled.body.msg).toContain('cancelled by tests before it began');
  await stand.addWorker();
  // Whatever waited for a worker has been seen to by then.
  expect((await stand.client.deploy({ k: 'server', dry_run: '1', senv: 'uat' })).body.job?.state).toBe('succeeded');
  expect((await stand.client.post(`/jobs/${id}/cancel`)).status).toBe(200);
  expect((await stand.client.post(`/jobs/${id}/hold`)).status).toBe(409);
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

test('cancelled while an instance is being verified: it is brought back, the others are not touched', async ({
  start,
}) => {
  const stand = await start();
  const id = await startSlowDeployment(stand);
  await follow(stand, id, 'step-started server1 verify', async () => {
    expect((await stand.client.post(`/jobs/${id}/cancel`)).status).toBe(202);
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body).toMatchObject({ code: '-1', job: { state: 'cancelled', rollback: 'done', progress: { done: '0' } } });
  expect(body.msg).toMatch(/cancelled by tests; server1 was cancelled; server1 was brought back/);
  expect(body.msg).toContain('not touched: server2');
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

test('cancelled while it is staged: what was placed is removed again', async ({ start }) => {
  const stand = await start();
  const id = await startDeployment(stand);
  await follow(stand, id, 'step-started server1 stage', () => stand.client.post(`/jobs/${id}/cancel`));
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('cancelled');
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
  const { programDir } = stand.fleet.instance('server1');
  const releases = await stand.fleet.hostOf('server1').ssh(`ls -d ${programDir}_*`);
  expect(releases.stdout.trim().split('\n')).toHaveLength(1);
});

test('hold=1 stops after the first batch, survives a killed worker, binds none, and goes on when it is resumed', async ({
  start,
}) => {
  const stand = await start({ fleet: { names: 2 }, config: { worker: { concurrency: 1 } } });
  const { client } = stand;
  const id = (await client.rex({ ...DEPLOY, hold: '1' })).body.job?.id ?? '';
  await untilHeld(stand, id);
  // The only slot is free for another name.
  expect((await client.deploy({ ...DEPLOY, k: 'app2' })).body.job?.state).toBe('succeeded');
  await stand.workers[0]?.kill9();
  await stand.addWorker();
  const held = await client.get(`/jobs/${id}`);
  expect(held.body).toMatchObject({ code: '0', data: { code: '1' }, job: { state: 'held', progress: { done: '1' } } });
  expect((await client.post(`/jobs/${id}/hold`)).status).toBe(200);

  const { code, stdout } = await rex(stand, 'resume', id);
  expect([code, stdout.slice(0, id.length)]).toEqual([0, id]);
  expect((await client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2', 'v2']);
  expect((await client.post(`/jobs/${id}/resume`)).status).toBe(409);
});

test('a running job is held after its batch; cancelled then, what is done stays and the rest is left alone', async ({
  start,
}) => {
  const stand = await start();
  const id = await startDeployment(stand);
  await follow(stand, id, 'step-started server1 drain', async () => {
    expect((await stand.client.post(`/jobs/${id}/resume`)).status).toBe(409);
    expect((await stand.client.post(`/jobs/${id}/hold`)).status).toBe(202);
    await untilHeld(stand, id);
    expect((await stand.client.post(`/jobs/${id}/cancel`)).status).toBe(202);
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('cancelled');
  expect(body.msg).toMatch(/cancelled by tests; on the new release: server1; not touched: server2/);
  expect(await expectSound(stand)).toEqual(['v2', 'v1']);
  const { programDir } = stand.fleet.instance('server2');
  const releases = await stand.fleet.hostOf('server2').ssh(`ls -d ${programDir}_*`);
  expect(releases.stdout.trim().split('\n')).toHaveLength(1);
});

test('a job that is held for too long is cancelled', async ({ start }) => {
  const stand = await start({ config: { environments: { prod: { names: { server: { hold_timeout: '1s' } } } } } });
  const id = (await stand.client.rex({ ...DEPLOY, hold: '1' })).body.job?.id ?? '';
  const { body } = await stand.client.get(`/jobs/${id}?wait=60`);
  expect(body.job?.state).toBe('cancelled');
  expect(body.msg).toContain('cancelled by hold_timeout; on the new release: server1');
  expect(await expectSound(stand)).toEqual(['v2', 'v1']);
});

test('who only reads cancels nothing; a job that nobody knows is told as such', async ({ start }) => {
  const stand = await start({ workers: 0 });
  const id = await startDeployment(stand);
  const viewer = new Client(stand.api.url, await createToken(stand.configFile, 'viewer', ['--role', 'viewer']));
  expect((await viewer.post(`/jobs/${id}/cancel`)).status).toBe(403);
  expect((await stand.client.post('/jobs/dep-00000000000000000000000000/cancel')).status).toBe(404);
});

test('rex: rollback, check, drained and unlock end as their jobs do', async ({ start }) => {
  const stand = await start();
  expect((await rex(stand, 'check', '--k', 'server')).code).toBe(0);
  expect((await rex(stand, 'deploy', '--k', 'server', '--senv', 'uat')).code).toBe(0);
  expect((await rex(stand, 'rollback', '--k', 'server')).code).toBe(0);
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
  expect((await rex(stand, 'drained')).stdout).toBe('none\n');
  expect((await rex(stand, 'unlock', '--k', 'server')).code).toBe(3);
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
  const failed = await rex(stand, 'deploy', '--k', 'server', '--senv', 'uat', '--on-failure', 'halt', '--json');
  expect(failed.code).toBe(1);
  expect(JSON.parse(failed.stdout)).toMatchObject({ code: '-1', job: { state: 'failed' } });
  expect((await rex(stand, 'drained', '--json')).stdout).toContain('"instance": "server1"');
});
