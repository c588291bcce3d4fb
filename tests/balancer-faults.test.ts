import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import type { FleetHost } from '@rexdeploy/sandbox/fleet-host';
import type { Haproxy } from '@rexdeploy/sandbox/haproxy';
import { deepMerge, type JsonObject } from '@rexdeploy/sandbox/merge';
import type { Nginx } from '@rexdeploy/sandbox/nginx';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { tapHaproxy } from './support/haproxy-tap.js';
import { expectSound } from './support/invariants.js';
import { startLoad } from './support/load.js';
import { uatProgram, versions, writeVersion } from './support/release-steps.js';
import {
  follow,
  healthAttempts,
  holdListening,
  journalOf,
  PATIENT_ATTEMPTS,
  startDeployment,
} from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

/** A balancer that fails: nothing is stopped that still gets requests, and nothing stays out in silence. */

const DEPLOY = { k: 'server', senv: 'uat' };
/** More retries than an outage of a moment can use up; and none. */
const PATIENT = 12;
const IMPATIENT = 0;

const withRetries =
  (retries: number) =>
  (fleet: Fleet): JsonObject =>
    deepMerge(healthAttempts(fleet, PATIENT_ATTEMPTS), { environments: { prod: { names: { server: { retries } } } } });

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

/** The tests go on from each other's releases. */
const behindNginx = standForAll({ config: withRetries(PATIENT) });
const behindHaproxy = standForAll({ fleet: { balancer: 'haproxy' }, config: withRetries(PATIENT) });

/** What runs before a test, and the release that its deployments bring. */
let count = 1;
async function newRelease(stand: Stand): Promise<{ before: (string | undefined)[]; after: string[] }> {
  count += 1;
  writeVersion(stand, `v${count}`);
  setBehaviour(uatProgram(stand), {});
  return { before: await versions(stand), after: stand.fleet.instances.map(() => `v${count}`) };
}

test('a configuration that somebody else broke is told before anything is touched', async () => {
  const stand = behindNginx();
  const { before, after } = await newRelease(stand);
  const mend = breakNginx(stand);
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server1 failed at drain');
  expect(body.msg).toMatch(/unknown directive "sever" in \S+other\.conf/);
  expect(await expectSound(stand)).toEqual(before);
  mend();
  expect((await stand.client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(after);
});

test('a configuration that somebody else breaks while an instance is out: it stays out, is told, and is given back later', async () => {
  const stand = behindNginx();
  const { before, after } = await newRelease(stand);
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  let mend = (): void => undefined;
  const events = await follow(stand, id, 'step-mark server1 start', async () => {
    mend = breakNginx(stand);
    listen();
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server1 failed at restore');
  expect(body.msg).toContain('nginx refuses the configuration');
  expect(body.msg).toMatch(/server1 could NOT be brought back .*balancer: out/);
  expect(body.msg).toContain('not touched: server2');
  expect(events.find(({ type }) => type === 'left')?.data).toMatchObject({ instance: 'server1', processes: 2 });
  expect(await expectSound(stand, { allow: { out: ['server1'] } })).toEqual(before);

  mend();
  expect((await stand.client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(after);
});

test('what is given back counts also where the next instance cannot be drained', async () => {
  const stand = behindNginx();
  const { before, after } = await newRelease(stand);
  const { nginx } = partsOf(stand);
  const file = nginx.upstreamFile();
  const { port } = stand.fleet.instance('server2');
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  let whole = '';
  await follow(stand, id, 'step-mark server1 start', async () => {
    whole = readFileSync(file, 'utf8');
    writeFileSync(file, whole.replace(new RegExp(`.*:${port}.*\\n`), ''));
    listen();
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toMatch(/server2 failed at (guard|drain): .*no "server .*" line for server2/);
  expect(existsSync(`${dirname(file)}/.server.conf.rex-old`)).toBe(false);
  const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(nginx.url)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  writeFileSync(file, whole.replace(' down;', ';'));
  await stand.fleet.lb?.ssh('nginx -s reload');
  expect(await expectSound(stand)).toEqual([after[0], before[1]]);
});

test('an nginx that does not run is told before anything is touched', async () => {
  const stand = behindNginx();
  const { before } = await newRelease(stand);
  const { nginx } = partsOf(stand);
  await nginx.stop();
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toMatch(/server1 failed at drain: .*nginx does not run/);
  await nginx.restart();
  expect(await expectSound(stand)).toEqual(before);
});

/** What HAProxy was asked last when it is reloaded: the drained server is in rotation again. */
const MOMENTS = [
  ['while the last requests end', /^show stat /],
  ['right after the drain was confirmed', /^show servers state /],
] as const;

for (const [moment, asked] of MOMENTS) {
  test(`a HAProxy reloaded ${moment}: the instance is drained again before its app is stopped`, async () => {
    const stand = behindHaproxy();
    const { after } = await newRelease(stand);
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
    expect(await expectSound(stand)).toEqual(after);
  });
}

test('a HAProxy restarted while an instance is drained: what was found is given back as soon as it answers', async () => {
  const stand = behindHaproxy();
  const { after } = await newRelease(stand);
  const { haproxy } = partsOf(stand);
  await haproxy.send('set server server/server1 weight 7');
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  let back: Promise<unknown> | undefined;
  await follow(stand, id, 'step-mark server1 start', async () => {
    await haproxy.stop();
    // It comes back when somebody has found it away.
    back = follow(stand, id, 'step-retried server1 restore', () => haproxy.restart());
    listen();
  });
  await back;
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await haproxy.servers()).toMatchObject([
    { state: 'ready', weight: 7, status: 'UP' },
    { state: 'ready', weight: 1, status: 'UP' },
  ]);
  expect(await expectSound(stand)).toEqual(after);
});

test('the host of the balancer is away for a moment while an instance is out: it is asked again', async () => {
  const stand = behindNginx();
  const { after } = await newRelease(stand);
  const { lb } = partsOf(stand);
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  let back: Promise<unknown> | undefined;
  await follow(stand, id, 'step-mark server1 start', async () => {
    await lb.sshd.kill();
    back = follow(stand, id, 'step-retried server1 restore', () => lb.sshd.restart());
    listen();
  });
  await back;
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(after);
});

test('the host of the balancer is gone while an instance is out: it is told by name, and the next deployment gives it back', async ({
  start,
}) => {
  const stand = await start({ config: withRetries(IMPATIENT) });
  const { lb } = partsOf(stand);
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  const events = await follow(stand, id, 'step-mark server1 start', async () => {
    await lb.sshd.kill();
    listen();
  });
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
