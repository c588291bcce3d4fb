import { rmSync, symlinkSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { at } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { test } from './support/stand.js';

/** What only looks: `action=check`, `GET /names/:k?observe=1`, `GET /drained`. */

test('check looks at everything a deployment would need, touches nothing and takes no lock', async ({ start }) => {
  const stand = await start();
  const { status, body } = await stand.client.rex({ action: 'check', k: 'server', wait: '60' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ code: '0', data: { msg: 'server check finshed, nothing was touched' } });
  const row = at(body, 'data', 'data', '0');
  expect(row).toMatchObject({ code: '0', deploy_key: 'server1', msg: '' });
  expect(at(row, 'checks', 'host')).toMatch(
    /^link \S+_20180521_043510; bytes free: \d+, inodes free: \S+; \d+ processes$/,
  );
  expect(at(row, 'checks', 'balancer')).toMatch(/^in rotation \(server 127\./);
  expect(at(row, 'checks', 'health')).toMatch(/^healthy/);
  expect(at(row, 'checks', 'lock')).toBe('free');
  // It is no deployment: the history does not know it.
  expect((await stand.client.get('/jobs?k=server')).body.data.data).toEqual({});
  await expectSound(stand);
});

test('check tells all faults of all instances at once, also while the name is being deployed', async ({ start }) => {
  const stand = await start({ fleet: { batches: ['server1 server2'] } });
  const { fleet, client } = stand;
  await fleet.hostOf('server1').ssh(`chmod -x ${fleet.instance('server1').service}`);
  await fleet.hostOf('server2').sshd.stop();
  await fleet.lb?.ssh(`printf '\\nnonsense;\\n' >> ${fleet.nginx?.upstreamFile()}`);
  const held = await client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  expect(held.status).toBe(202);
  const { body } = await client.rex({ action: 'check', k: 'server', wait: '60' });
  expect(body.code).toBe('-1');
  expect(body.msg).toContain('the service script');
  expect(body.msg).toMatch(/server2 ssh: /);
  expect(body.msg).toMatch(/server1 balancer: .*unknown directive "nonsense"/s);
  expect(body.msg).toMatch(/server1 rollout: .*its batch holds every instance of the name/);
});

test('what is true is seen on the hosts, whatever the journals believe', async ({ start }) => {
  const stand = await start();
  const { client, fleet } = stand;
  await client.deploy({ k: 'server', senv: 'uat' });
  const one = fleet.instance('server1');
  const before = (await one.observe()).link ?? '';
  const first = `${one.programDir}_20180521_043510`;
  // By hand: the link is set back, the app still runs the new release, and the other is out of rotation.
  rmSync(one.programDir);
  symlinkSync(first, one.programDir);
  await fleet.lb?.ssh(
    `sed -i '0,/server [^;]*:${fleet.instance('server2').port}/s//& down/' ${fleet.nginx?.upstreamFile()}`,
  );
  await fleet.instance('server2').runService('stop');
  const told = await client.get('/names/server');
  expect(at(told.body, 'data', 'data', '0')).toMatchObject({ linked: before, in_rotation: '1' });
  const seen = await client.get('/names/server?observe=1');
  expect(seen.status).toBe(200);
  expect(seen.body.data.observed_at).toMatch(/^\d{4}-/);
  expect(at(seen.body, 'data', 'data', '0')).toMatchObject({
    should_run: before,
    linked: first,
    answering: before,
    in_rotation: '1',
    lock: {},
    error: '',
  });
  expect(at(seen.body, 'data', 'data', '1')).toMatchObject({ answering: {}, in_rotation: '0', processes: '0' });
  expect(String(at(seen.body, 'data', 'data', '1', 'health'))).toContain('NOT healthy');
});

test('a host that cannot be reached is told in its row, and the others are seen all the same', async ({ start }) => {
  const stand = await start();
  await stand.fleet.hostOf('server2').sshd.stop();
  const { body } = await stand.client.get('/names/server?observe=1');
  expect(at(body, 'data', 'data', '0', 'error')).toBe('');
  expect(String(at(body, 'data', 'data', '1', 'error'))).toContain('host: ');
  expect((await stand.client.get('/names/server?observe=2')).status).toBe(400);
});

test('what is out of rotation by our hand is listed, to those whom it concerns', async ({ start }) => {
  const stand = await start({ config: { environments: { prod: { names: { server: { on_failure: 'halt' } } } } } });
  const { client, fleet } = stand;
  expect((await client.get('/drained')).body.data.data).toEqual({});
  const { service } = fleet.instance('server1');
  const script = `#!/bin/sh\nif [ "$1" = start ]; then exit 9; fi\nexec ${service}-real "$@"\n`;
  await fleet.hostOf('server1').ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
  const { body } = await client.deploy({ k: 'server', senv: 'uat' });
  const { body: drained } = await client.get('/drained');
  expect(at(drained, 'data', 'data')).toMatchObject({
    '0': {
      k: 'server',
      instance: 'server1',
      host: fleet.instance('server1').host,
      deployment: body.job?.id ?? '',
      state: 'failed',
      kept: 'on_failure is halt, and switch failed',
    },
  });
  expect(String(at(drained, 'data', 'data', '0', 'exact'))).toContain(`server ${fleet.instance('server1').host}`);
  const redis = new Redis(stand.redis.url);
  await redis.hset('rex:drained', 'server2', '{"of":"tomorrow"}');
  redis.disconnect();
  expect(at((await client.get('/drained')).body, 'data', 'data', '1')).toMatchObject({
    k: 'server',
    instance: 'server2',
    kept: 'written by another version: cannot be read',
  });
  const other = await stand.clientFor({ name: 'other', names: 'shop', role: 'viewer' });
  expect((await other.get('/drained')).body.data.data).toEqual({});
});
