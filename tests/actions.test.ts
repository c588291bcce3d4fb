import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createToken } from '@rexdeploy/sandbox/controller';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { beforeAll, expect, test } from 'vitest';
import { at, Client } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { follow, journalOf } from './support/roll-out.js';
import { standForAll } from './support/stand.js';

/** The original's actions beside `deploy`, on one fleet behind HAProxy; each test leaves it whole. */

const stand = standForAll({
  fleet: { balancer: 'haproxy', instances: 3 },
  config: { worker: { lock: '3s', stalled_check: '500ms', sweep_after: '500ms' } },
});
let admin: Client;
beforeAll(async () => {
  admin = new Client(stand().api.url, await createToken(stand().configFile, 'boss', ['--role', 'admin']));
});

/** Sends an action and waits for its end. */
const run = (action: string, params: Record<string, string> = {}, client = stand().client) =>
  client.rex({ action, wait: '90', ...params });
const servers = async () => (await stand().fleet.haproxy?.servers()) ?? [];
const weights = async () => (await servers()).map(({ state, weight }) => `${state} ${weight}`);
const drained = async () => (await stand().client.get('/drained')).body.data.data;
const uat = () => stand().fleet.uatDirs.get('server')?.programDir ?? '';

test('list tells names, and keys with their number', async () => {
  const { status, body } = await stand().client.rex({ action: 'list' });
  expect(status).toBe(200);
  expect(body.data).toEqual({ code: '0', data: { '0': 'server', '1': 'server1 server2 server3 3' }, msg: '成功' });
  expect(body.parseparameters.requestCmd).toMatch(/^list,--token="\d{10}…\w{4}",--w="1"$/);
});

test('check tells what stands on each host, as the original did', async () => {
  const { fleet } = stand();
  const one = fleet.instance('server1');
  const { body } = await run('check', { k: 'server' });
  expect(at(body, 'data', 'data', '0')).toMatchObject({
    app_config_dir: one.configDir,
    app_pro_dir: one.programDir,
    app_pro_init: one.service,
    app_pro_key: one.process,
    config_dir: '1',
    pro_dir: '1',
    pro_init: '1',
    ps_num: '2',
  });
  expect(body.job?.progress).toMatchObject({ done: '3', total: '3' });
});

test('checkurl makes the health check of each instance once, and fails when one is not healthy', async () => {
  const good = await run('checkurl', { k: 'server' });
  expect(good.body).toMatchObject({ code: '0', data: { code: '0', msg: '成功' } });
  expect(at(good.body, 'data', 'data', '0')).toMatchObject({
    count: '3',
    data: { '0': { data: { '0': '1', '1': 'server1' } }, '1': { data: { '0': '1', '1': 'server2' } } },
  });
  const two = stand().fleet.instance('server2');
  await two.runService('stop');
  const bad = await run('loadService:main:check', { k: 'server' });
  await two.start();
  expect(bad.body.code).toBe('-1');
  expect(bad.body.msg).toMatch(/server2: NOT healthy: /);
  expect(bad.body.msg).not.toContain('server1');
  expect(at(bad.body, 'data', 'data', '0', 'data', '1', 'data')).toEqual({ '0': '0', '1': 'server2' });
});

test('a weight is set, told by queryk, and zero is out until somebody wishes it back', async () => {
  const { client } = stand();
  const set = await run('updatek', { k: 'server1', weight: '7' });
  expect(set.body).toMatchObject({ code: '0', data: { msg: '成功' }, job: { action: 'updatek', state: 'succeeded' } });
  expect(set.body.respon.cmd).toBe('rex weights --k server1 --set 7');
  expect(await weights()).toEqual(['ready 7', 'ready 1', 'ready 1']);
  expect(at((await run('queryk', { k: 'server' })).body, 'data', 'data', '0', 'data', '0', 'data')).toMatchObject({
    app_key: 'server1',
    data: { '0': { loadBalance: { '0': { backendSetLen: '3' } }, weight: '7', in_rotation: '1', kept: '' } },
  });

  expect((await run('loadService:main:update', { k: 'server1', w: '0' })).body.code).toBe('0');
  expect(await weights()).toEqual(['drain 7', 'ready 1', 'ready 1']);
  expect(at(await drained(), '0')).toMatchObject({
    instance: 'server1',
    exact: 'ready weight=7',
    kept: 'taken out by tests: updatek, weight=0',
  });
  expect(at((await client.get('/names/server')).body, 'data', 'data', '0', 'in_rotation')).toBe('0');

  const last = await run('updatek', { k: 'server2 server3', weight: '0' });
  expect(last.body.code).toBe('-1');
  expect(last.body.msg).toMatch(
    /server2 is the last healthy instance of server in rotation.*nothing was touched.*force=1/,
  );
  expect(await weights()).toEqual(['drain 7', 'ready 1', 'ready 1']);
  expect((await run('updatek', { k: 'server2', weight: '0', force: '1' })).status).toBe(403);

  // A deployment brings it the release, and leaves it out: nobody wished it back.
  const { body } = await client.deploy({ k: 'server', senv: 'uat' });
  expect(body.code).toBe('0');
  expect((await stand().fleet.instance('server1').observe()).version).toBe('v2');
  expect(await weights()).toEqual(['drain 7', 'ready 1', 'ready 1']);
  expect(at(await drained(), '0', 'kept')).toBe('taken out by tests: updatek, weight=0');

  expect((await run('updatek', { k: 'server1', weight: 'restore' })).body.code).toBe('0');
  expect(await weights()).toEqual(['ready 7', 'ready 1', 'ready 1']);
  expect(await drained()).toEqual({});
  expect((await run('updatek', { k: 'server1', weight: '1' })).body.code).toBe('0');
  await expectSound(stand());
});

test('a weight is given to what serves only; what cannot be set is refused with nothing changed', async () => {
  const { fleet } = stand();
  await run('updatek', { k: 'server1', weight: '0' });
  await fleet.instance('server1').runService('stop');
  const dead = await run('updatek', { k: 'server1', weight: '3' });
  expect(dead.body.msg).toMatch(/server1: .*no process of server1 runs.*server1 has what it had/);
  expect(await weights()).toEqual(['drain 1', 'ready 1', 'ready 1']);
  await run('service', { k: 'server1', a: 'start' });
  const much = await run('updatek', { k: 'server1', weight: '300' });
  expect(much.body.msg).toContain('HAProxy knows weights from 0 to 256');
  expect(at(await drained(), '0', 'instance')).toBe('server1');
  expect((await run('updatek', { k: 'server1', weight: '1' })).body.code).toBe('0');
  expect(await weights()).toEqual(['ready 1', 'ready 1', 'ready 1']);
  expect((await run('updatek', { k: 'server1' })).body.msg).toContain('必须传参: weight');
  expect((await run('updatek', { k: 'server1', weight: '1', w: '1' })).status).toBe(400);
  await expectSound(stand());
});

test('service stops what is out of rotation only, starts it, and tells the processes', async () => {
  const refused = await run('service', { k: 'server1', a: 'stop' });
  expect(refused.body.code).toBe('-1');
  expect(refused.body.msg).toMatch(
    /in rotation, and not stopped: server1 \(ready weight=1\); nothing was touched.*force=1/,
  );
  await run('updatek', { k: 'server1', weight: '0' });
  const stopped = await run('service', { k: 'server1', a: 'stop' });
  const row = ['data', 'data', '0', 'data', '0', 'data'] as const;
  expect(at(stopped.body, ...row)).toMatchObject({
    after: { result_code: '0' },
    before: { processNumber: '2' },
    msg: '(server1) stop success.',
    status: '1',
  });
  expect(at((await stand().client.get('/names/server')).body, 'data', 'data', '0', 'answering')).toEqual({});
  const started = await run('service', { k: 'server1', a: 'start' });
  expect(at(started.body, ...row)).toMatchObject({
    after: { result_code: expect.stringMatching(/^[12]$/) },
    before: { processNumber: '0' },
  });
  await run('updatek', { k: 'server1', weight: 'restore' });
  await expectSound(stand());
});

test('a restart goes through the balancer, one instance after another, and never with the last one', async () => {
  const { client } = stand();
  const before = await Promise.all(stand().fleet.instances.map((one) => one.observe()));
  const { body } = await run('service', { k: 'server', a: 'restart' });
  expect(body).toMatchObject({ code: '0', job: { progress: { done: '3' } } });
  expect(await weights()).toEqual(['ready 1', 'ready 1', 'ready 1']);
  const steps = (await journalOf(stand(), body.job?.id ?? ''))
    .filter(({ type }) => type === 'step-done')
    .map(({ data }) => `${data.instance} ${data.step}`);
  const each = ['guard', 'drain', 'service', 'restore'];
  expect(steps).toEqual(['server1', 'server2', 'server3'].flatMap((key) => each.map((step) => `${key} ${step}`)));
  const after = await Promise.all(stand().fleet.instances.map((one) => one.observe()));
  expect(after.map(({ link }) => link)).toEqual(before.map(({ link }) => link));

  await run('updatek', { k: 'server2 server3', weight: '0' });
  const refused = await run('service', { k: 'server1', a: 'restart' });
  expect(refused.body.msg).toMatch(
    /server1 failed at guard: .*last healthy instance.*restarted: none; not touched: none/,
  );
  expect((await run('service', { k: 'server1', a: 'restart', force: '1' }, admin)).body.code).toBe('0');
  await run('updatek', { k: 'server2 server3', weight: 'restore' });
  expect((await client.rex({ action: 'service', k: 'server', a: 'reload' })).body.msg).toContain(
    'start, stop or restart',
  );
  await expectSound(stand());
});

test('a restart that fails is started again, and one that a worker left in the middle is ended by another', async () => {
  const { fleet, workers, addWorker, client } = stand();
  const { service } = fleet.instance('server1');
  // It does not start once, and does so again right after that.
  const once = join(fleet.dir, 'fails-once');
  writeFileSync(once, '');
  const script = `#!/bin/sh
if [ "$1" != stop ] && [ -e ${once} ]; then rm ${once}; exit 1; fi
exec ${service}-real "$@"
`;
  const host = fleet.hostOf('server1');
  await host.ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
  const { body } = await run('service', { k: 'server', a: 'restart' });
  await host.ssh(`mv ${service}-real ${service}`);
  expect(existsSync(once)).toBe(false);
  expect(body.msg).toMatch(
    /server1 failed at service: .*server1 was started again and has its weight; .*not touched: server2 server3/s,
  );
  expect(body.job).toMatchObject({ state: 'failed', rollback: 'done' });
  await expectSound(stand());

  const begun = await client.rex({ action: 'service', k: 'server', a: 'restart' });
  await follow(stand(), begun.body.job?.id ?? '', 'step-started server1 service', async () => {
    await workers[0]?.kill9();
    await addWorker();
  });
  expect((await client.get(`/jobs/${begun.body.job?.id}`)).body.job?.state).toBe('succeeded');
  await expectSound(stand());
});

test('Enter:deploy:main deploys instance keys, and refuses a name', async () => {
  const name = await run('Enter:deploy:main', { k: 'server', senv: 'uat' });
  expect(name.status).toBe(400);
  expect(name.body.msg).toContain('"server" is a name, and Enter:deploy:main takes instance keys of one name');
  const { body } = await run('Enter:deploy:main', { k: 'server2', senv: 'uat' });
  expect(body).toMatchObject({ code: '0', data: { msg: 'server2 全部灰度发布完成' } });
  expect(body.respon.cmd).toBe('rex deploy --k server2 --senv uat');
});

test('release brings all instances at once, past a balancer that is away; a failed one gets back what it had', async () => {
  const { fleet } = stand();
  await fleet.haproxy?.stop();
  const { body } = await run('release', { k: 'server', senv: 'uat', full: '2' });
  expect(body).toMatchObject({ code: '0', data: { code: '0', msg: '成功' }, job: { action: 'release' } });
  expect(Object.keys(body.data.data)).toEqual(['0']);
  expect(at(body, 'data', 'data', '0')).toMatchObject({ code: '0', msg: 'server have finshed release' });
  expect(at(body, 'data', 'data', '0', 'data', '1')).toMatchObject({ deploy_key: 'server2', rollRecord: '0' });
  const first = await Promise.all(fleet.instances.map((one) => one.observe()));
  expect(new Set(first.map(({ link }) => link?.slice(-15))).size).toBe(1);

  setBehaviour(uat(), { fail: 'start' });
  const bad = await run('release', { k: 'server', senv: 'uat' });
  rmSync(join(uat(), 'behaviour.json'));
  expect(bad.body.msg).toMatch(/server1 failed at switch: .*server1 was brought back to its former release;/s);
  const second = await Promise.all(fleet.instances.map((one) => one.observe()));
  expect(second.map(({ link }) => link)).toEqual(first.map(({ link }) => link));
  expect((await run('release', { k: 'server', senv: 'uat', hold: '1' })).body.msg).toContain(
    'unknown parameter "hold"',
  );
  await fleet.haproxy?.restart();
  await expect
    .poll(async () => (await servers()).map(({ status }) => status), { timeout: 20_000 })
    .toEqual(['UP', 'UP', 'UP']);
  await expectSound(stand());
});

test('an action that is not there lists those that are, and one that is left out on purpose says why', async () => {
  const { client } = stand();
  const { status, body } = await client.rex({ action: 'nosuch' });
  expect(status).toBe(400);
  expect(body.msg).toMatch(/不支持的action参数: nosuch; expected deploy or .* or service or .*updatek/);
  for (const action of ['run', 'Common:Use:run', 'upload', 'logCenter:main:getLog']) {
    const left = await client.rex({ action, k: 'server', cmd: 'id' });
    expect(left.status).toBe(400);
    expect(left.body.msg).toMatch(/left out on purpose: /);
  }
});
