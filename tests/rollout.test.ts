import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { at } from './support/client.js';
import { shapeOf } from './support/shape.js';
import { standForAll, test } from './support/stand.js';

const documented: unknown = JSON.parse(
  readFileSync(new URL('./fixtures/documented-answer.json', import.meta.url), 'utf8'),
);
const DEPLOY = { k: 'server', senv: 'uat' };

/** Two names: one that goes from deployment to deployment, and one that keeps few releases. */
const stand = standForAll({
  fleet: { names: 2 },
  config: { environments: { prod: { names: { app2: { keep_releases: 2 } } } } },
});
const trio = standForAll({ fleet: { names: 2, instances: 3, batches: ['server1', 'server2 server3'] } });

test('a dry run tells the difference of each instance and touches nothing', async () => {
  const { client, fleet } = stand();
  const before = await Promise.all(fleet.instances.map((instance) => instance.observe()));
  const { body } = await client.deploy({ ...DEPLOY, dry_run: '1' });
  expect(body.code).toBe('0');
  expect(Number(at(body, 'data', 'data', '0', 'program', 'changed'))).toBeGreaterThan(0);
  expect(Object.values(at(body, 'data', 'data', '0', 'program', 'paths') ?? {})).toContain('~version.txt');
  expect(await Promise.all(fleet.instances.map((instance) => instance.observe()))).toEqual(before);
  for (const instance of fleet.instances) {
    const listing = await fleet.hostOf(instance.key).ssh(`ls -A ${instance.programDir.replace(/\/[^/]+$/, '')}`);
    expect(listing.stdout).not.toMatch(/\.rexdeploy|\d{8}_\d{6}\d*\.partial/);
  }
});

test('one request rolls the release of uat across both instances, and the answer is the documented one', async () => {
  const { client, fleet } = stand();
  const answer = await client.rex({ action: 'deploy', wait: '120', ...DEPLOY });

  expect(answer.status).toBe(200);
  const { job, ...rest } = answer.body;
  const { wait: _, ...param } = rest.param;
  expect(shapeOf({ ...rest, param }).sort()).toEqual(shapeOf(documented).sort());
  expect(job?.state).toBe('succeeded');
  expect(job?.progress).toMatchObject({ done: '2', total: '2' });
  expect(rest.param.token).toMatch(/^\d{10}…[a-z]{4}$/);

  for (const [index, key] of ['server1', 'server2'].entries()) {
    const record = at(rest, 'data', 'data', String(index), 'data', '0');
    const seen = await fleet.instance(key).observe();
    expect(seen).toMatchObject({ version: 'v2', link: at(record, 'deloy_prodir_after') });
    expect(seen.configLink).toBe(at(record, 'deloy_configdir_after'));
    expect(record).toMatchObject({
      deploy_key: key,
      deploy_ip: fleet.instance(key).host,
      deloy_prodir_before: `${fleet.instance(key).programDir}_20180521_043510`,
      deloy_prodir_real_before: {},
      processNumber: '2',
      rollRecord: '0',
      rollStatus: '0',
      rollbackNumber: '0',
    });
    expect(at(record, 'deloy_size')).toMatch(/^[\d.]+[KMG]? \/\S+_\d{8}_\d{6} [\d.]+[KMG]? \/\S+_\d{8}_\d{6}$/);
    expect(at(record, 'deploy_take')).toMatch(/^Total Take:\d+ \|\| Rsync Time:\d+ \|\| Start App Time:\d+$/);
    expect(at(record, 'randomStr')).toMatch(/^\d{19}$/);
    for (const field of ['start_time', 'rsync_war_time', 'start_app_time', 'end_time']) {
      expect(at(record, field)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    }
  }
  expect(fleet.nginx?.upstream().map((line) => line.down)).toEqual([false, false]);
});

test('both releases of one roll-out carry the same stamp, and the former ones stay where they were', async () => {
  const { client, fleet } = stand();
  const { body } = await client.deploy(DEPLOY);
  const stamps = ['0', '1'].map((i) =>
    String(at(body, 'data', 'data', i, 'data', '0', 'deloy_prodir_after')).slice(-15),
  );
  expect(stamps[0]).toMatch(/^\d{8}_\d{6}$/);
  expect(stamps[1]).toBe(stamps[0]);
  for (const instance of fleet.instances.filter(({ name }) => name === 'server')) {
    const former = await fleet.hostOf(instance.key).ssh(`cat ${instance.programDir}_20180521_043510/version.txt`);
    expect(former.stdout.trim()).toBe('v1');
  }
});

test('waiting, polling, replaying and following live end in the same envelope', async () => {
  const { client } = stand();
  const accepted = await client.rex({ action: 'deploy', ...DEPLOY });
  expect(accepted.status).toBe(202);
  const id = accepted.body.job?.id ?? '';
  expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(accepted.headers.location).toBe(`/jobs/${id}`);
  expect(accepted.body).toMatchObject({ code: '0', data: { code: '1' } });

  const live: string[] = [];
  let ending: unknown;
  for await (const event of client.events(id)) {
    live.push(event.type);
    if (event.type === 'end') ending = event.data;
    else expect(event.data).toMatchObject({ type: event.type, at: expect.stringMatching(/^\d{4}-.*Z$/) });
  }
  const waited = await client.get(`/jobs/${id}?wait=10`);
  const polled = await client.get(`/jobs/${id}`);
  const replayed: string[] = [];
  let replayedEnding: unknown;
  for await (const event of client.events(id)) {
    replayed.push(event.type);
    if (event.type === 'end') replayedEnding = event.data;
  }
  expect(polled.body).toMatchObject({ code: '0', data: { code: '0', msg: 'server 全部灰度发布完成' } });
  expect(waited.body).toEqual(polled.body);
  expect(findEnvelope(ending)).toEqual(polled.body);
  expect(findEnvelope(replayedEnding)).toEqual(polled.body);
  expect(replayed).toEqual(live);
  expect(live[0]).toBe('accepted');
});

test('a second deployment of the same program sends no file content', async () => {
  const { client } = stand();
  await client.deploy(DEPLOY);
  const second = await client.deploy(DEPLOY);
  expect(second.body.code).toBe('0');
  expect(second.body.job?.progress).toMatchObject({ bytes: '0', bytes_total: '0' });
});

test('old releases beyond keep_releases are removed, never the current or the former one', async () => {
  const { client, fleet } = stand();
  const stamps: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const { body } = await client.deploy({ ...DEPLOY, k: 'app2' });
    stamps.push(String(at(body, 'data', 'data', '0', 'data', '0', 'deloy_prodir_after')));
  }
  const instance = fleet.instance('app2-1');
  const left = await fleet.hostOf('app2-1').ssh(`ls -d ${instance.programDir}_*`);
  expect(left.stdout.trim().split('\n')).toEqual(stamps.slice(-2));
});

test('instance keys roll only these, in that order, each its own batch', async () => {
  const { client, fleet } = trio();
  const { body } = await client.deploy({ k: 'app2-3 app2-1', senv: 'uat' });
  expect(at(body, 'data', 'data', '0', 'msg')).toBe('app2-3 have finshed deploy');
  expect(at(body, 'data', 'data', '1', 'msg')).toBe('app2-1 have finshed deploy');
  expect(at(body, 'data', 'data', '2', 'msg')).toBe('app2-3 app2-1 have deploy finshed');
  const own = fleet.instances.filter(({ name }) => name === 'app2');
  const versions = await Promise.all(own.map(async (instance) => (await instance.observe()).version));
  expect(versions).toEqual(['v2', 'v1', 'v2']);
});

test('instances of one batch go together and are reported together', async () => {
  const { client } = trio();
  const { body } = await client.deploy(DEPLOY);
  expect(at(body, 'data', 'data', '1', 'msg')).toBe('server2 server3 have finshed deploy');
  expect(at(body, 'data', 'data', '1', 'data', '1', 'deploy_key')).toBe('server3');
});

/** The `end` event is the envelope together with what every event has. */
function findEnvelope(data: unknown): unknown {
  const { type, at, ...envelope } = data as Record<string, unknown>;
  expect(type).toBe('end');
  expect(at).toMatch(/^\d{4}-.*Z$/);
  return envelope;
}
