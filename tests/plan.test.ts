import { expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { test } from './support/stand.js';

/** A dry run prints a hash, and a deployment with it is made only while all is as the dry run saw it. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

test('what a dry run planned is applied; afterwards the same plan is refused, naming what changed', async ({
  start,
}) => {
  const stand = await start();
  const { client } = stand;
  const dry = await client.deploy({ ...DEPLOY, dry_run: '1' });
  const plan = String(dry.body.data.plan);
  expect(plan).toMatch(/^[0-9a-f]{64}$/);
  // A second look at the same things is the same plan.
  expect((await client.deploy({ ...DEPLOY, dry_run: '1' })).body.data.plan).toBe(plan);

  const applied = await client.deploy({ ...DEPLOY, plan });
  expect(applied.body.job?.state).toBe('succeeded');
  expect(applied.body.data.plan).toBe(plan);
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);

  const again = await client.rex({ ...DEPLOY, plan });
  expect(again.status).toBe(409);
  expect(again.body.code).toBe('-1');
  expect(again.body.msg).toMatch(
    /not as planned, nothing was touched: .*server1 program was "link \S+_20180521_043510"/,
  );
  expect(again.body.job?.state).toBe('failed');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('a change in the balancer is a change too', async ({ start }) => {
  const { client, fleet } = await start();
  const plan = String((await client.deploy({ ...DEPLOY, dry_run: '1' })).body.data.plan);
  await fleet.lb?.ssh(`sed -i '0,/server [^;]*;/s/;/ weight=7;/' ${fleet.nginx?.upstreamFile()}`);
  const { status, body } = await client.rex({ ...DEPLOY, plan });
  expect(status).toBe(409);
  expect(body.msg).toMatch(/server1 balancer was "in server .*" and is "in server .* weight=7;"/);
});

test('a plan that nobody made, that is for others, or that goes with a dry run is refused at once', async ({
  start,
}) => {
  const { client } = await start();
  const unknown = await client.rex({ ...DEPLOY, plan: 'a'.repeat(64) });
  expect(unknown.status).toBe(409);
  expect(unknown.body.msg).toContain('no dry run of the last 7 days printed it');
  expect(unknown.body.job).toBeUndefined();
  expect((await client.rex({ ...DEPLOY, plan: 'no hash' })).status).toBe(400);
  const plan = String((await client.deploy({ ...DEPLOY, dry_run: '1' })).body.data.plan);
  expect((await client.rex({ ...DEPLOY, plan, dry_run: '1' })).status).toBe(400);
  const other = await client.rex({ ...DEPLOY, k: 'server1', plan });
  expect(other.status).toBe(409);
  expect(other.body.msg).toContain('is for server (server1, server2), not for server (server1)');
});
