import { dirname } from 'node:path';
import type { Worker } from '@rexdeploy/sandbox/controller';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { type Stand, test } from './support/stand.js';

const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };

/** Where a worker is struck: at the beginning of these steps, of one roll-out. */
const MOMENTS = [
  'server1 stage',
  'server1 drain',
  'server1 switch',
  'server2 guard',
  'server2 verify',
  'server2 restore',
];

/** Follows a roll-out and strikes whoever owns it at each of the moments. @returns who owned it, one after another */
async function rollOutUnder(
  { client, workers, addWorker, fleet }: Stand,
  strike: (owner: Worker) => unknown,
  afterClaim: (former: Worker) => void,
): Promise<string[]> {
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  const id = accepted.body.job?.id ?? '';
  const done: string[] = [];
  const claims: string[] = [];
  const moments = [...MOMENTS];
  let struck: Worker | undefined;
  for await (const { type, data } of client.events(id)) {
    if (type === 'claimed') {
      claims.push(String(data.worker));
      if (struck !== undefined) afterClaim(struck);
      struck = undefined;
    }
    if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
    const at = moments.indexOf(`${data.instance} ${data.step}`);
    const owner = workers.find((worker) => worker.id === claims.at(-1));
    if (type !== 'step-started' || at < 0 || struck !== undefined || owner === undefined) continue;
    moments.splice(at, 1);
    struck = owner;
    await strike(owner);
    await addWorker();
  }
  const ended = await client.get(`/jobs/${id}`);
  expect(ended.body.msg ?? '').toBe('');
  expect(ended.body.job?.state).toBe('succeeded');
  expect(moments).toEqual([]);
  // Nothing is done twice and nothing skipped.
  expect(new Set(done).size).toBe(done.length);
  for (const instance of fleet.instances) {
    const seen = await instance.observe();
    expect(seen.version).toBe('v2');
    expect(seen.running).toHaveLength(2);
    const beside = await fleet.hostOf(instance.key).ssh(`ls -A ${dirname(instance.programDir)}/.rexdeploy`);
    expect(beside.stdout).not.toMatch(/partial|\.lock|\.rotation/);
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  return claims;
}

test('workers killed in every step are replaced, and the roll-out ends as if nothing had happened', async ({
  start,
}) => {
  const stand = await start({ config: FAST_TAKEOVER });
  const claims = await rollOutUnder(
    stand,
    (owner) => owner.kill9(),
    () => undefined,
  );
  expect(new Set(claims).size).toBe(MOMENTS.length + 1);
});

test('workers frozen in every step do nothing further when they wake up, and are not missed', async ({ start }) => {
  const stand = await start({ config: FAST_TAKEOVER });
  await rollOutUnder(
    stand,
    (owner) => owner.freeze(),
    (former) => former.thaw(),
  );
});

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
