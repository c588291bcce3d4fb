import { FIRST_STAMP } from '@rexdeploy/sandbox/instance';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { type Answer, at } from './support/client.js';
import { expectSound } from './support/invariants.js';
import {
  deployVersion,
  forgetDeployments,
  loseRelease,
  stepsOf,
  uatProgram,
  versions,
} from './support/release-steps.js';
import { type Stand, standForAll, test } from './support/stand.js';

const rollback = ({ client }: Stand, params: Record<string, string> = {}): Promise<Answer> =>
  client.rex({ action: 'rollback', k: 'server', wait: '120', ...params });

/** One fleet for most of it: each test begins with a name to which nothing was deployed yet. */
const standing = standForAll({
  fleet: { names: 9 },
  config: {
    worker: { lock: '2s', stalled_check: '200ms' },
    environments: { prod: { names: { app7: { keep_releases: 2 } } } },
  },
});

/** All is sound. @returns the versions that a name's instances answer */
const versionsOf = (name: string): Promise<(string | undefined)[]> => expectSound(standing(), { of: name });

const recordOf = (body: unknown, batch: number) => at(body, 'data', 'data', String(batch), 'data', '0');

test('a rollback brings every instance to its former release through the balancer; a second one returns', async () => {
  const stand = standing();
  const { client, fleet } = stand;
  const deployed = await deployVersion(stand, 'v2');
  const { status, body } = await rollback(stand);

  expect([status, body.msg]).toEqual([200, undefined]);
  expect(body).toMatchObject({ code: '0', data: { code: '0', msg: 'server 全部灰度发布完成' } });
  expect(body.job).toMatchObject({ action: 'rollback', state: 'succeeded' });
  expect(body.job?.progress).toMatchObject({ done: '2', total: '2', bytes: '0', bytes_total: '0' });
  expect(await versionsOf('server')).toEqual(['v1', 'v1']);
  const own = fleet.instances.filter(({ name }) => name === 'server');
  for (const [index, { key, programDir, configDir, observe }] of own.entries()) {
    expect(await observe.call(fleet.instance(key))).toMatchObject({
      link: `${programDir}_${FIRST_STAMP}`,
      configLink: `${configDir}_${FIRST_STAMP}`,
    });
    const record = recordOf(body, index);
    expect(record).toMatchObject({
      deploy_key: key,
      deloy_prodir_before: `${programDir}_${deployed.stamp}`,
      deloy_prodir_after: `${programDir}_${FIRST_STAMP}`,
      deloy_configdir_before: `${configDir}_${deployed.stamp}`,
      deloy_configdir_after: `${configDir}_${FIRST_STAMP}`,
      processNumber: '2',
      rollRecord: '1',
      rollStatus: '0',
      rollbackNumber: '0',
    });
    expect(at(record, 'deploy_take')).toMatch(/^Total Take:\d+ {2}\|\| Start App Time:\d+$/);
  }
  const steps = ['guard', 'drain', 'switch', 'verify', 'restore', 'record'];
  const rolled = ['server1', 'server2'].flatMap((key) => steps.map((step) => `${key} ${step}`));
  const all = await stepsOf(stand, body.job?.id ?? '');
  expect(all.slice(0, 2).sort()).toEqual(['server1 look', 'server2 look']);
  expect(all.slice(2)).toEqual(rolled);

  const former = (await client.get(`/jobs/${deployed.id}`)).body;
  expect(recordOf(former, 0)).toMatchObject({ rollRecord: '0', rollbackNumber: '1' });
  expect((await rollback(stand)).body.msg).toBeUndefined();
  expect(await versionsOf('server')).toEqual(['v2', 'v2']);
  // That one went by the record of the first rollback.
  expect(recordOf((await client.get(`/jobs/${body.job?.id}`)).body, 1)).toMatchObject({ rollbackNumber: '1' });
  const again = (await client.get(`/jobs/${deployed.id}`)).body;
  expect({ ...again, take: '' }).toEqual({ ...former, take: '' });
  expect(again.take).toBe(former.take);
});

test('a release is named by its stamp, its directory or its path, and each instance gets its own', async () => {
  const stand = standing();
  const { fleet } = stand;
  const { programDir } = fleet.instance('app2-2');
  const v2 = await deployVersion(stand, 'v2', 'app2');
  await deployVersion(stand, 'v3', 'app2');
  const base = programDir.split('/').at(-1);
  for (const [to, version] of [
    [FIRST_STAMP, 'v1'],
    [`${base}_${v2.stamp}`, 'v2'],
    [`${programDir}_${FIRST_STAMP}`, 'v1'],
  ] as const) {
    const { body } = await rollback(stand, { k: 'app2', to });
    expect(body.msg).toBeUndefined();
    expect(await versionsOf('app2')).toEqual([version, version]);
  }
  // It runs already: nothing is done, and all of it is done.
  const { body } = await rollback(stand, { k: 'app2', to: FIRST_STAMP });
  expect(body).toMatchObject({ code: '0', job: { progress: { done: '2', total: '2' } } });
  expect(await stepsOf(stand, body.job?.id ?? '')).toEqual([]);
});

test('what can not be the name of a release is refused, and so is what does not go together', async () => {
  const stand = standing();
  const { programDir } = stand.fleet.instance('server2');
  for (const to of ['html9_20180521_043510', '/etc', '..', 'newest', `${programDir}/../x_20180521_043510`]) {
    const refused = await rollback(stand, { k: 'server', to });
    expect([refused.status, refused.body.msg]).toEqual([400, expect.stringContaining(`to=${JSON.stringify(to)}`)]);
  }
  expect((await rollback(stand, { k: 'server', to: FIRST_STAMP, rollstatus: '1' })).status).toBe(400);
  expect((await rollback(stand, { k: 'server', senv: 'uat' })).body.msg).toContain('unknown parameter "senv"');
});

test('a release that one instance lacks is refused before anything is touched, naming what each has', async () => {
  const stand = standing();
  const v2 = await deployVersion(stand, 'v2', 'app3');
  const v3 = await deployVersion(stand, 'v3', 'app3');
  loseRelease(stand, 'app3-2', v2.stamp);
  const { host } = stand.fleet.instance('app3-2');
  const has = `app3-2 on ${host} has ${FIRST_STAMP} ${v3.stamp} (linked)`;
  for (const params of [{ to: v2.stamp }, {}] as Record<string, string>[]) {
    const { body } = await rollback(stand, { k: 'app3', ...params });
    expect(body).toMatchObject({ code: '-1', job: { state: 'failed' } });
    expect(body.msg).toContain(has);
    expect(body.msg).toContain('nothing was touched');
    expect(body.msg).not.toContain('app3-1 ');
    expect(await stepsOf(stand, body.job?.id ?? '')).toEqual([]);
  }
  expect(await versionsOf('app3')).toEqual(['v3', 'v3']);
});

test('a former release that is not healthy any more: what was linked is brought forward again', async () => {
  const stand = standing();
  const { stamp } = await deployVersion(stand, 'v2', 'app4');
  const { programDir } = stand.fleet.instance('app4-1');
  setBehaviour(`${programDir}_${FIRST_STAMP}`, { unhealthy: true });
  const { body } = await rollback(stand, { k: 'app4' });
  expect(body.msg).toMatch(/app4-1 failed at verify/);
  expect(body.msg).toContain('app4-1 was brought back to its former release and weight; not touched: app4-2');
  expect(await versionsOf('app4')).toEqual(['v2', 'v2']);
  expect((await stand.fleet.instance('app4-1').observe()).link).toBe(`${programDir}_${stamp}`);
  // The release that was gone back to is nobody's to remove.
  expect((await stand.fleet.hostOf('app4-1').ssh(`ls -d ${programDir}_${FIRST_STAMP}`)).code).toBe(0);
});

test('a worker killed during a rollback is replaced, and it ends as if nothing had happened', async () => {
  const stand = standing();
  const { client, workers, addWorker } = stand;
  const deployed = await deployVersion(stand, 'v2', 'app5');
  const accepted = await client.rex({ action: 'rollback', k: 'app5' });
  expect(accepted.status).toBe(202);
  const id = accepted.body.job?.id ?? '';
  const done: string[] = [];
  let killed = false;
  for await (const { type, data } of client.events(id)) {
    if (type === 'step-started' && data.step === 'switch' && !killed) {
      killed = true;
      await workers[0]?.kill9();
      await addWorker();
    }
    if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
  }
  expect((await client.get(`/jobs/${id}`)).body).toMatchObject({ code: '0', job: { state: 'succeeded' } });
  expect(new Set(done).size).toBe(done.length);
  expect(await versionsOf('app5')).toEqual(['v1', 'v1']);
  const { body } = await client.get(`/jobs/${deployed.id}`);
  expect([0, 1].map((batch) => at(recordOf(body, batch), 'rollbackNumber'))).toEqual(['1', '1']);
});

test('rollstatus=1 goes to the marked release, which is marked no longer then', async () => {
  const stand = standing();
  const { client } = stand;
  const none = await rollback(stand, { k: 'app6', rollstatus: '1' });
  expect(none.body.msg).toContain('(app6-1)--have not deploy record where rollstatus=1');
  expect(none.body.msg).toContain('(app6-2)--have not deploy record where rollstatus=1');
  const v2 = await deployVersion(stand, 'v2', 'app6');
  await deployVersion(stand, 'v3', 'app6');
  await deployVersion(stand, 'v4', 'app6');
  const marked = await client.rex({ action: 'mark', k: 'app6', to: v2.stamp });
  expect([marked.status, marked.body.data.msg]).toEqual([200, `${v2.stamp} is marked`]);
  const record = async () => recordOf((await client.get(`/jobs/${v2.id}`)).body, 0);
  expect(await record()).toMatchObject({ rollStatus: '1', rollbackNumber: '0' });

  const { body } = await rollback(stand, { rollstatus: '1', k: 'app6-1' });
  expect(body.msg).toBeUndefined();
  expect(await versionsOf('app6')).toEqual(['v2', 'v4']);
  expect(await record()).toMatchObject({ rollStatus: '0', rollbackNumber: '1' });
  expect((await rollback(stand, { rollstatus: '1', k: 'app6-1' })).body.code).toBe('-1');
  expect((await client.rex({ action: 'mark', k: 'app6-2', to: '' })).body.data.msg).toContain('no release is marked');
  expect((await rollback(stand, { rollstatus: '1', k: 'app6-2' })).body.code).toBe('-1');
});

test('a marked release outlives keep_releases', async () => {
  const stand = standing();
  const { stamp } = await deployVersion(stand, 'v2', 'app7-1');
  await stand.client.rex({ action: 'mark', k: 'app7-1', to: stamp });
  for (const version of ['v3', 'v4']) await deployVersion(stand, version, 'app7-1');
  expect((await rollback(stand, { k: 'app7-1', rollstatus: '1' })).body.msg).toBeUndefined();
  expect(await versionsOf('app7')).toEqual(['v2', 'v1']);
});

test('a plain directory that made way is gone back to, and left again', async ({ start }) => {
  const stand = await start({ fleet: { firstDeployment: 'plain' } });
  const { stamp } = await deployVersion(stand, 'v2');
  expect((await rollback(stand)).body.msg).toBeUndefined();
  expect(await versions(stand)).toEqual(['v1', 'v1']);
  const { programDir } = stand.fleet.instance('server1');
  expect((await stand.fleet.instance('server1').observe()).link).toBe(`${programDir}_${stamp}_before`);
  expect((await rollback(stand)).body.msg).toBeUndefined();
  expect(await versions(stand)).toEqual(['v2', 'v2']);
  expect((await rollback(stand, { to: `${stamp}_before` })).body.msg).toBeUndefined();
  expect(await versions(stand)).toEqual(['v1', 'v1']);
});

test('without any record it goes to the newest older release that all of them still have', async () => {
  const stand = standing();
  const v2 = await deployVersion(stand, 'v2', 'app8');
  await deployVersion(stand, 'v3', 'app8');
  await forgetDeployments(stand);
  loseRelease(stand, 'app8-2', v2.stamp);
  expect((await rollback(stand, { k: 'app8' })).body.msg).toBeUndefined();
  expect(await versionsOf('app8')).toEqual(['v1', 'v1']);
  await forgetDeployments(stand);
  const { body } = await rollback(stand, { k: 'app8' });
  expect(body.msg).toContain('(app8-1)--have not deploy record, and no release older than the linked one');
});

test('an instance that was halted on the way goes back to what it had before, not one further', async () => {
  const stand = standing();
  await deployVersion(stand, 'v2', 'app9');
  setBehaviour(uatProgram(stand, 'app9'), { unhealthy: true });
  const names = { k: 'app9', senv: 'uat', on_failure: 'halt' };
  expect((await stand.client.deploy(names)).body.msg).toContain('app9-1 was left as it is');
  const { body } = await rollback(stand, { k: 'app9-1' });
  expect(body.msg).toBeUndefined();
  expect(await versionsOf('app9')).toEqual(['v2', 'v2']);
});
