import { rmSync, writeFileSync } from 'node:fs';
import type { FleetHost } from '@rexdeploy/sandbox/fleet-host';
import type { Haproxy } from '@rexdeploy/sandbox/haproxy';
import type { Nginx } from '@rexdeploy/sandbox/nginx';
import { expect } from 'vitest';
import { tapHaproxy } from './support/haproxy-tap.js';
import { expectSound } from './support/invariants.js';
import { startLoad } from './support/load.js';
import { follow, journalOf, startSlowDeployment } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

/** A balancer that fails: nothing is stopped that still gets requests, and nothing stays out in silence. */

const DEPLOY = { k: 'server', senv: 'uat' };
/** More retries than an outage of a moment can use up; and none. */
const PATIENT = { environments: { prod: { names: { server: { retries: 12 } } } } };
const IMPATIENT = { environments: { prod: { names: { server: { retries: 0 } } } } };

function partsOf({ fleet }: Stand): { nginx: Nginx; haproxy: Haproxy; lb: FleetHost } {
  const absent = (): never => {
    throw new Error('the fleet has no such part');
  };
  return {
    get nginx() {
      return fleet.nginx ?? absent();
    },
    get haproxy() {
      return fleet.haproxy ?? absent();
    },
    lb: fleet.lb ?? absent(),
  };
}

/** Somebody else leaves a file that nginx refuses among its configuration. @returns mends it */
function breakNginx(stand: Stand): () => void {
  const file = partsOf(stand)
    .nginx.upstreamFile()
    .replace(/[^/]+$/, 'other.conf');
  writeFileSync(file, 'upstream shop { sever 10.0.0.1; }\n');
  return () => rmSync(file);
}

test('a configuration that somebody else broke is told before anything is touched', async ({ start }) => {
  const stand = await start();
  const mend = breakNginx(stand);
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server1 failed at drain');
  expect(body.msg).toMatch(/unknown directive "sever" in \S+other\.conf/);
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
  mend();
  expect((await stand.client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('a configuration that somebody else breaks while an instance is out: it stays out, is told, and is given back later', async ({
  start,
}) => {
  const stand = await start();
  const id = await startSlowDeployment(stand);
  let mend = (): void => undefined;
  const events = await follow(stand, id, 'step-mark server1 start', async () => {
    mend = breakNginx(stand);
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server1 failed at restore');
  expect(body.msg).toContain('nginx refuses the configuration');
  expect(body.msg).toMatch(/server1 could NOT be brought back .*balancer: out/);
  expect(body.msg).toContain('not touched: server2');
  expect(events.find(({ type }) => type === 'left')?.data).toMatchObject({ instance: 'server1', processes: 2 });
  expect(await expectSound(stand, { allow: { out: ['server1'] } })).toEqual(['v1', 'v1']);

  mend();
  expect((await stand.client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('an nginx that does not run is told before anything is touched', async ({ start }) => {
  const stand = await start();
  const { nginx } = partsOf(stand);
  await nginx.stop();
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toMatch(/server1 failed at drain: .*nginx does not run/);
  await nginx.restart();
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

/** What HAProxy was asked last when it is reloaded: the drained server is in rotation again. */
const MOMENTS = [
  ['while the last requests end', /^show stat /],
  ['right after the drain was confirmed', /^show servers state /],
] as const;

for (const [moment, asked] of MOMENTS) {
  test(`a HAProxy reloaded ${moment}: the instance is drained again before its app is stopped`, async ({ start }) => {
    const stand = await start({ fleet: { balancer: 'haproxy' } });
    const { haproxy } = partsOf(stand);
    await haproxy.send('set server server/server1 weight 7');
    const load = startLoad(haproxy.url);
    let counted = false;
    let reloaded = false;
    await tapHaproxy(haproxy, async (line) => {
      if (!reloaded && (counted || asked.source.includes('stat ')) && asked.test(line)) {
        reloaded = true;
        await haproxy.reload();
      }
      counted ||= line.startsWith('show stat ');
    });
    const { body } = await stand.client.deploy(DEPLOY);
    const { failures } = await load.stop();
    expect(reloaded).toBe(true);
    expect(body.job?.state).toBe('succeeded');
    expect(failures).toEqual([]);
    const logs = (await journalOf(stand, body.job?.id ?? '')).filter(({ type }) => type === 'log');
    expect(logs.map(({ data }) => data.message)).toContainEqual(expect.stringContaining('taken out once more'));
    expect(await haproxy.servers()).toMatchObject([
      { state: 'ready', weight: 7 },
      { state: 'ready', weight: 1 },
    ]);
    expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  });
}

test('a HAProxy restarted while an instance is drained: what was found is given back as soon as it answers', async ({
  start,
}) => {
  const stand = await start({ fleet: { balancer: 'haproxy' }, config: PATIENT });
  const { haproxy } = partsOf(stand);
  await haproxy.send('set server server/server1 weight 7');
  const id = await startSlowDeployment(stand);
  let back: Promise<unknown> | undefined;
  await follow(stand, id, 'step-mark server1 start', async () => {
    await haproxy.stop();
    // It comes back when somebody has found it away.
    back = follow(stand, id, 'step-retried server1 restore', () => haproxy.restart());
  });
  await back;
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await haproxy.servers()).toMatchObject([
    { state: 'ready', weight: 7, status: 'UP' },
    { state: 'ready', weight: 1, status: 'UP' },
  ]);
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('the host of the balancer is away for a moment while an instance is out: it is asked again', async ({ start }) => {
  const stand = await start({ config: PATIENT });
  const { lb } = partsOf(stand);
  const id = await startSlowDeployment(stand);
  let back: Promise<unknown> | undefined;
  await follow(stand, id, 'step-mark server1 start', async () => {
    await lb.sshd.kill();
    back = follow(stand, id, 'step-retried server1 restore', () => lb.sshd.restart());
  });
  await back;
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('the host of the balancer is gone while an instance is out: it is told by name, and the next deployment gives it back', async ({
  start,
}) => {
  const stand = await start({ config: IMPATIENT });
  const { lb } = partsOf(stand);
  const id = await startSlowDeployment(stand);
  const events = await follow(stand, id, 'step-mark server1 start', () => lb.sshd.kill());
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toMatch(/server1 failed at restore: .*connection refused/);
  expect(body.msg).toContain('server1 could NOT be brought back');
  expect(body.msg).toContain('not touched: server2');
  expect(events.find(({ type }) => type === 'left')?.data).toMatchObject({ instance: 'server1', processes: 2 });
  await lb.sshd.restart();
  expect(await expectSound(stand, { allow: { out: ['server1'] } })).toEqual(['v1', 'v1']);
  expect((await stand.client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});
