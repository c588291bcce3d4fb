import { expect } from 'vitest';
import { at } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { journalOf } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

/** What keeps a deployment from doing harm: the last instance that serves is not taken out. */

const DEPLOY = { k: 'server', senv: 'uat' };

/** Marks an instance down in nginx's file, or not any more, as an operator does without us. */
async function setByHand({ fleet }: Stand, key: string, down: boolean): Promise<void> {
  const { port } = fleet.instance(key);
  const change = down ? `s/:${port}\\([^;]*\\);/:${port}\\1 down;/` : `s/:${port}\\([^;]*\\) down;/:${port}\\1;/`;
  await fleet.lb?.ssh(`sed -i '${change}' ${fleet.nginx?.upstreamFile()} && nginx -s reload`);
}

test('the last healthy instance in rotation is not drained, whatever keeps the others from serving', {
  timeout: 120_000,
}, async ({ start }) => {
  const stand = await start();
  const { client, fleet } = stand;
  await setByHand(stand, 'server2', true);
  const out = await client.deploy(DEPLOY);
  expect(out.body.msg).toMatch(/server1 failed at guard: .*server1 is the last healthy instance of server in rotation/);
  expect(out.body.msg).toContain('bring server2 back first');
  const check = await client.rex({ action: 'check', k: 'server', wait: '60' });
  expect(check.body.msg).toMatch(/^server1 rollout: .*server1 is the last healthy instance/);
  expect(at(check.body, 'data', 'data', '1', 'checks', 'rollout')).toBe('not needed: this one serves nothing now');
  await setByHand(stand, 'server2', false);
  await fleet.instance('server2').runService('stop');
  const dead = await client.deploy(DEPLOY);
  expect(dead.body.msg).toMatch(/server1 failed at guard: .*bring server2 back first/);
  // The one that serves nothing may be deployed to, which is what brings it back.
  expect((await client.deploy({ ...DEPLOY, k: 'server2' })).body.msg).toBeUndefined();
  const drained = (await journalOf(stand, out.body.job?.id ?? '')).filter(({ data }) => data.step === 'drain');
  expect(drained).toEqual([]);
  expect(await expectSound(stand)).toEqual(['v1', 'v2']);
});

test('one whose processes are not found is asked nonetheless: its pattern may be wrong', async ({ start }) => {
  const instances = { server1: { process: 'nothing-that-runs' } };
  const { client, fleet } = await start({ config: { environments: { prod: { names: { server: { instances } } } } } });
  await fleet.instance('server2').runService('stop');
  const { body } = await client.deploy(DEPLOY);
  expect(body.msg).toMatch(/server1 failed at guard: .*server1 is the last healthy instance of server in rotation/);
  expect((await fleet.instance('server1').observe()).version).toBe('v1');
});
