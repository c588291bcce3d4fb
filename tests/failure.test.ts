import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { deepMerge } from '@rexdeploy/sandbox/merge';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { at } from './support/client.js';
import { refuseNothing, refuseVersion } from './support/release-steps.js';
import { healthAttempts } from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };

/** What every failed roll-out must leave: all on the former release, running, in rotation, nothing half-made. */
async function expectUntouched({ fleet, client }: Stand, version = 'v1'): Promise<void> {
  for (const instance of fleet.instances) {
    const seen = await instance.observe();
    expect(seen).toMatchObject({ version, link: `${instance.programDir}_20180521_043510` });
    expect(seen.running).toHaveLength(2);
    const folder = instance.programDir.replace(/\/[^/]+$/, '');
    const listing = await fleet.hostOf(instance.key).ssh(`ls -A ${folder}; ls -A ${folder}/.rexdeploy 2>/dev/null`);
    expect(listing.stdout).not.toMatch(/partial|rex-new|_20[2-9]\d{5}_/);
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  const name = await client.get('/names/server');
  expect(name.body.data.lock).toEqual({});
}

/** One after another: all failures but the last one leave it as it was. */
const shared = standForAll({
  config: (fleet) =>
    deepMerge(healthAttempts(fleet, 60), { environments: { prod: { names: { server: { retries: 0 } } } } }),
});

test('a release that does not start is taken back, its neighbour is never touched, and the answer says so', async () => {
  const stand = shared();
  setBehaviour(programOfUat(stand), { fail: 'start' });
  const { status, body } = await stand.client.deploy(DEPLOY);
  expect(status).toBe(200);
  expect(body).toMatchObject({ code: '-1', data: { code: '-1' }, respon: { ret: '1' } });
  expect(body.msg).toContain('server1 failed at switch');
  expect(body.msg).toContain('told to fail at start');
  expect(body.msg).toContain('server1 was brought back to its former release and weight');
  expect(body.msg).toContain('not touched: server2');
  expect(body.respon.stderr).toBe(body.msg);
  expect(at(body, 'data', 'data', '0', 'code')).toBe('-1');
  expect(at(body, 'data', 'data', '1')).toBeUndefined();
  await expectUntouched(stand);
});

test('a release that starts and is not healthy is taken back', async () => {
  const stand = shared();
  setBehaviour(programOfUat(stand), { unhealthy: true });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toMatch(/server1 failed at verify: .*status 500, expected 200/);
  await expectUntouched(stand);
});

test('a host that cannot be reached stops the roll-out before any instance is touched', async () => {
  const stand = shared();
  await stand.fleet.hostOf('server2').sshd.stop();
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toContain(stand.fleet.instance('server2').host);
  expect(body.msg).toContain('no instance was taken out of rotation, stopped or switched');
  await stand.fleet.hostOf('server2').sshd.restart();
  await expectUntouched(stand);
});

test('a host key that is not known is an error with the fingerprint and the command that trusts it', async ({
  start,
}) => {
  const stand = await start({
    config: { environments: { prod: { ssh: { known_hosts: '/dev/null' } } } },
  });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toMatch(/SHA256:[A-Za-z0-9+/]{43}/);
  expect(body.msg).toMatch(/rex hosts trust 127\./);
  await expectUntouched(stand);
});

test('an nginx that refuses its configuration gets its file back, and nothing was drained', async () => {
  const stand = shared();
  const { fleet, client } = stand;
  const file = fleet.nginx?.upstreamFile() ?? '';
  const sound = readFileSync(file, 'utf8');
  appendFileSync(file, '\nnonsense;\n');
  const { body } = await client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toContain('server1 failed at drain');
  expect(body.msg).toContain('nonsense');
  await expectUntouched(stand);
  expect(readFileSync(file, 'utf8')).toBe(`${sound}\nnonsense;\n`);
  writeFileSync(file, sound);
});

test('a failure in the second batch leaves the first one on the new release', async () => {
  const stand = shared();
  setBehaviour(programOfUat(stand), {});
  const { fleet, client } = stand;
  await refuseVersion(stand, 'server2', 'v2');
  const { body } = await client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toContain('no licence');
  expect(body.msg).toContain('on the new release: server1');
  expect(at(body, 'data', 'data', '0', 'code')).toBe('0');
  expect(at(body, 'data', 'data', '1', 'code')).toBe('-1');
  expect((await fleet.instance('server1').observe()).version).toBe('v2');
  expect((await fleet.instance('server2').observe()).version).toBe('v1');
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  await refuseNothing(stand, 'server2');
});

test('a name that is busy answers 409 with the running job', async () => {
  const { client, workers } = shared();
  setBehaviour(programOfUat(shared()), {});
  workers[0]?.freeze();
  const first = await client.rex({ action: 'deploy', ...DEPLOY });
  const second = await client.rex({ action: 'deploy', k: 'server1', senv: 'uat' });
  expect(second.status).toBe(409);
  expect(second.body).toMatchObject({ code: '-1', msg: '(server)--is deploying' });
  expect(second.body.job?.id).toBe(first.body.job?.id);
  workers[0]?.thaw();
  const ended = await client.get(`/jobs/${first.body.job?.id}?wait=60`);
  expect(ended.body.job?.state).toBe('succeeded');
});

const programOfUat = ({ fleet }: Stand): string => fleet.uatDirs.get('server')?.programDir ?? '';
