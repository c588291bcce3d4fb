import { dirname } from 'node:path';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { test } from './support/stand.js';

const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };

for (const moment of ['stage', 'drain', 'switch', 'verify', 'restore']) {
  test(`a worker killed during ${moment} is replaced, and the roll-out ends as if nothing had happened`, async ({
    start,
  }) => {
    const { client, fleet, workers, addWorker } = await start({ config: FAST_TAKEOVER });
    const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
    const id = accepted.body.job?.id ?? '';
    const done: string[] = [];
    const claims: string[] = [];
    for await (const { type, data } of client.events(id)) {
      if (type === 'claimed') claims.push(String(data.worker));
      if (type === 'step-started' && data.step === moment && claims.length === 1 && workers[0] !== undefined) {
        await workers[0].kill9();
        await addWorker();
        claims.push('killed');
      }
      if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
    }
    const ended = await client.get(`/jobs/${id}`);
    expect(ended.body.msg ?? '').toBe('');
    expect(ended.body.job?.state).toBe('succeeded');
    expect(claims.filter((claim) => claim !== 'killed')).toHaveLength(2);
    expect(new Set(done).size).toBe(done.length);
    for (const instance of fleet.instances) expect((await instance.observe()).version).toBe('v2');
    expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  });
}

for (const moment of ['stage', 'drain', 'switch', 'verify', 'restore']) {
  test(`a worker frozen during ${moment} does nothing further when it wakes up, and is not missed`, async ({
    start,
  }) => {
    const { client, fleet, workers, addWorker } = await start({ config: FAST_TAKEOVER });
    const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
    const id = accepted.body.job?.id ?? '';
    const done: string[] = [];
    const claims: string[] = [];
    let frozen = false;
    for await (const { type, data } of client.events(id)) {
      if (type === 'claimed') claims.push(String(data.worker));
      if (type === 'claimed' && frozen) workers[0]?.thaw();
      if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
      if (type !== 'step-started' || data.step !== moment || frozen) continue;
      frozen = true;
      workers[0]?.freeze();
      await addWorker();
    }
    expect(claims).toHaveLength(2);
    const ended = await client.get(`/jobs/${id}`);
    expect(ended.body.msg ?? '').toBe('');
    expect(ended.body.job?.state).toBe('succeeded');
    expect(new Set(done).size).toBe(done.length);
    for (const instance of fleet.instances) {
      expect((await instance.observe()).version).toBe('v2');
      const beside = await fleet.hostOf(instance.key).ssh(`ls -A ${dirname(instance.programDir)}/.rexdeploy`);
      expect(beside.stdout).not.toMatch(/partial|\.lock|\.rotation/);
    }
    expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  });
}

for (const undone of ['switch', 'drain', 'stage']) {
  test(`a worker killed while it takes ${undone} back is replaced, and all is brought back`, async ({ start }) => {
    const { client, fleet, workers, addWorker } = await start({ config: FAST_TAKEOVER });
    setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
    const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
    const id = accepted.body.job?.id ?? '';
    let killed = false;
    for await (const { type, data } of client.events(id)) {
      if (type === 'undo-started' && data.step === undone && !killed) {
        killed = true;
        await workers[0]?.kill9();
        await addWorker();
      }
    }
    expect(killed).toBe(true);
    const { body } = await client.get(`/jobs/${id}`);
    expect(body.job?.state).toBe('failed');
    expect(body.msg).toContain('server1 was brought back to its former release and weight');
    for (const instance of fleet.instances) {
      const seen = await instance.observe();
      expect(seen).toMatchObject({ version: 'v1', link: `${instance.programDir}_20180521_043510` });
      const releases = await fleet.hostOf(instance.key).ssh(`ls -d ${instance.programDir}_*`);
      expect(releases.stdout.trim().split('\n')).toHaveLength(1);
    }
    expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
    expect((await client.get('/names/server')).body.data.lock).toEqual({});
  });
}

test('a worker killed after staging failed is replaced; the answer gives the true reason and nothing is left', async ({
  start,
}) => {
  const { client, fleet, workers, addWorker } = await start({
    config: { ...FAST_TAKEOVER, environments: { prod: { names: { server: { retries: 0 } } } } },
  });
  await fleet.hostOf('server2').sshd.stop();
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  const id = accepted.body.job?.id ?? '';
  let killed = false;
  for await (const { type } of client.events(id)) {
    if (type === 'undo-started' && !killed) {
      killed = true;
      await workers[0]?.kill9();
      await addWorker();
    }
  }
  expect(killed).toBe(true);
  const { body } = await client.get(`/jobs/${id}`);
  expect(body.msg).toContain(fleet.instance('server2').host);
  expect(body.msg).toContain('no instance was taken out of rotation, stopped or switched');
  const { programDir } = fleet.instance('server1');
  const releases = await fleet.hostOf('server1').ssh(`ls -d ${programDir}_*`);
  expect(releases.stdout.trim().split('\n')).toHaveLength(1);
});
