import { FIRST_STAMP } from '@rexdeploy/sandbox/instance';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { type Answer, at } from './support/client.js';
import { expectSound } from './support/invariants.js';
import {
  deployVersion,
  forgetDeployments,
  loseRelease,
  refuseNothing,
  refuseVersion,
  stepsOf,
  versions,
} from './support/release-steps.js';
import { healthAttempts } from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

const converge = ({ client }: Stand, to: string, params: Record<string, string> = {}): Promise<Answer> =>
  client.rex({ action: 'converge', k: 'server', to, wait: '120', ...params });

/** Instances that a job took through their steps, in order. */
async function touched(stand: Stand, answer: Answer): Promise<string[]> {
  const steps = await stepsOf(stand, answer.body.job?.id ?? '');
  return steps.filter((step) => step.endsWith(' guard')).map((step) => step.split(' ')[0] ?? '');
}

/** Three instances; the tests that need as many come one after another. */
const ofThree = standForAll({ fleet: { instances: 3 }, config: (fleet) => healthAttempts(fleet, 60) });

test('a fleet that a failed second batch left mixed is brought to the newest release, or to the former one', async () => {
  const stand = ofThree();
  await refuseVersion(stand, 'server2', 'v2');
  await expect(deployVersion(stand, 'v2')).rejects.toThrow('no licence');
  expect(await versions(stand)).toEqual(['v2', 'v1', 'v1']);

  const former = await converge(stand, 'former');
  expect(former.body.msg).toBeUndefined();
  expect(await touched(stand, former)).toEqual(['server1']);
  expect(former.body.job?.progress).toMatchObject({ done: '3', total: '3', bytes: '0' });
  expect(at(former.body, 'data', 'data', '0', 'msg')).toBe('server1 have finshed deploy');
  expect(at(former.body, 'data', 'data', '1', 'msg')).toBe('server have deploy finshed');
  expect(await expectSound(stand)).toEqual(['v1', 'v1', 'v1']);

  // The failed release was removed from those that never had it in use: it comes from the store.
  await refuseNothing(stand, 'server2');
  const newest = await converge(stand, 'newest');
  expect(newest.body.msg).toBeUndefined();
  expect(await touched(stand, newest)).toEqual(['server1', 'server2', 'server3']);
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2']);
  const links = await Promise.all(stand.fleet.instances.map(async (instance) => (await instance.observe()).link));
  expect(new Set(links.map((link) => link?.slice(-15))).size).toBe(1);
  const nothing = await converge(stand, 'newest');
  expect(nothing.body.data.msg).toBe('server 全部灰度发布完成: server1 server2 server3 run that release already');
  expect(nothing.body.job?.progress).toMatchObject({ done: '3', total: '3' });
});

test('one that was halted is not healthy, goes first, and the last healthy one stays in rotation', async () => {
  const stand = ofThree();
  const good = await deployVersion(stand, 'v2', 'server1');
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', { unhealthy: true });
  const halted = await stand.client.deploy({ k: 'server3', senv: 'uat', on_failure: 'halt' });
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', {});
  expect(halted.body.msg).toContain('server3 was left as it is');
  // The newest release is the halted one, and it was never in use.
  const answer = await converge(stand, 'newest');
  expect(answer.body.msg).toBeUndefined();
  expect(await touched(stand, answer)).toEqual(['server3', 'server2']);
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2']);
  expect((await stand.fleet.instance('server3').observe()).link).toMatch(good.stamp);

  // Linked to the right one and not running: that differs too.
  await stand.fleet.instance('server2').runService('stop');
  const mended = await converge(stand, 'newest');
  expect(mended.body.msg).toBeUndefined();
  expect(await touched(stand, mended)).toEqual(['server2']);
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2']);
});

test('it can be held after the first instance, and knows the newest release without any record', async () => {
  const stand = ofThree();
  const { client } = stand;
  await deployVersion(stand, 'v2', 'server1');
  await deployVersion(stand, 'v1');
  await deployVersion(stand, 'v2', 'server1');
  await forgetDeployments(stand);
  const accepted = await client.rex({ action: 'converge', k: 'server', to: 'newest', hold: '1' });
  const id = accepted.body.job?.id ?? '';
  await expect.poll(async () => (await client.get(`/jobs/${id}`)).body.job?.state, { timeout: 30_000 }).toBe('held');
  expect(await versions(stand)).toEqual(['v2', 'v2', 'v1']);
  await client.post(`/jobs/${id}/resume`);
  expect((await client.get(`/jobs/${id}?wait=60`)).body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2']);
});

test('a release that one host lost comes from the store, whole and under its own name', async ({ start }) => {
  const stand = await start();
  const { client, fleet } = stand;
  const v2 = await deployVersion(stand, 'v2');
  await deployVersion(stand, 'v3');
  loseRelease(stand, 'server2', v2.stamp);
  const answer = await converge(stand, v2.stamp);
  expect(answer.body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  expect(Number(answer.body.job?.progress.bytes)).toBeGreaterThan(0);
  const { programDir, configDir } = fleet.instance('server2');
  expect(await fleet.instance('server2').observe()).toMatchObject({
    link: `${programDir}_${v2.stamp}`,
    configLink: `${configDir}_${v2.stamp}`,
  });
  const digest = (key: string) =>
    fleet
      .hostOf(key)
      .ssh(`cd ${fleet.instance(key).programDir}/ && find . -type f -print0 | sort -z | xargs -0 sha256sum`);
  expect((await digest('server2')).stdout).toBe((await digest('server1')).stdout);
  expect((await client.rex({ action: 'rollback', k: 'server', wait: '120' })).body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(['v3', 'v3']);
});

test('what neither a host nor the store has is refused before anything is touched', async ({ start }) => {
  const stand = await start();
  const v2 = await deployVersion(stand, 'v2');
  loseRelease(stand, 'server2', FIRST_STAMP);
  const { body } = await converge(stand, FIRST_STAMP);
  expect(body.msg).toContain(`server2 has no release ${FIRST_STAMP}, and the store does not either`);
  expect(body.msg).toContain(`has ${v2.stamp} (linked); nothing was touched`);
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  const missing = await stand.client.rex({ action: 'converge', k: 'server' });
  expect([missing.status, missing.body.msg]).toEqual([400, expect.stringContaining('必须传参: to')]);
  expect((await converge(stand, 'somewhere')).body.msg).toContain('expected newest, or former, or a stamp such as');
});

test('a release that is not healthy is brought back, and what was placed for it is removed', async ({ start }) => {
  const stand = await start();
  const { fleet } = stand;
  const v2 = await deployVersion(stand, 'v2', 'server1');
  await refuseVersion(stand, 'server2', 'v2');
  const { body } = await converge(stand, 'newest');
  expect(body.msg).toContain('server2 was brought back to its former release and weight');
  expect(await expectSound(stand)).toEqual(['v2', 'v1']);
  const { programDir } = fleet.instance('server2');
  expect((await fleet.hostOf('server2').ssh(`ls -d ${programDir}_${v2.stamp}`)).code).not.toBe(0);
});
