import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import { httpGet } from '@rexdeploy/sandbox/http-get';
import { deepMerge, type JsonObject } from '@rexdeploy/sandbox/merge';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect, onTestFinished } from 'vitest';
import { uatProgram, writeVersion } from './support/release-steps.js';
import { follow, healthAttempts, holdListening, startDeployment } from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };

/** Asks over and over, several at a time, until `stop`. */
function startVisitors(
  url: string,
  count = 4,
): { until(...answers: string[]): Promise<void>; stop(): Promise<{ answers: Map<string, number>; failed: string[] }> } {
  const answers = new Map<string, number>();
  const failed: string[] = [];
  let stopped = false;
  const visit = async (): Promise<void> => {
    while (!stopped) {
      try {
        const { status, body } = await httpGet(url);
        if (status === 200) answers.set(body.trim(), (answers.get(body.trim()) ?? 0) + 1);
        else failed.push(`${status} ${body.trim()}`);
      } catch (error) {
        failed.push(String(error));
      }
    }
  };
  const visitors = Array.from({ length: count }, visit);
  return {
    until: (...wanted) => expect.poll(() => [...answers.keys()]).toEqual(expect.arrayContaining(wanted)),
    stop: async () => {
      stopped = true;
      await Promise.all(visitors);
      return { answers, failed };
    },
  };
}

const haproxyOf = ({ fleet }: Stand) => {
  if (fleet.haproxy === undefined) throw new Error('the fleet has no HAProxy');
  return fleet.haproxy;
};
const failOnHealth = ({ fleet }: Stand): void =>
  setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', { unhealthy: true });
const withBalancer =
  (balancer: JsonObject, attempts = 60) =>
  (fleet: Fleet): JsonObject =>
    deepMerge(healthAttempts(fleet, attempts), { environments: { prod: { names: { server: { balancer } } } } });
/** Everything that a deployment has told, for looking for what it must not tell. */
async function journalOf({ client }: Stand, id: string | undefined): Promise<string> {
  const events: unknown[] = [];
  for await (const event of client.events(id ?? '')) events.push(event);
  return JSON.stringify(events);
}

/** Behind HAProxy; the tests go on from each other's releases. */
const shared = standForAll({
  fleet: { balancer: 'haproxy', instances: 3 },
  config: (fleet) => deepMerge(healthAttempts(fleet, 60), { worker: { lock: '3s', stalled_check: '500ms' } }),
});

test('a roll-out through HAProxy loses no request, and gives back the weights that were there', async () => {
  const stand = shared();
  const haproxy = haproxyOf(stand);
  await haproxy.send('set server server/server1 weight 7; set server server/server2 weight 100');
  const visitors = startVisitors(haproxy.url);
  const each = (version: string) => [1, 2, 3].map((at) => `version ${version} instance server${at}`);
  await visitors.until(...each('v1'));
  const { body } = await stand.client.deploy(DEPLOY);
  await visitors.until(...each('v2'));
  const { answers, failed } = await visitors.stop();

  expect(body).toMatchObject({ code: '0', data: { code: '0' } });
  expect(failed).toEqual([]);
  expect([...answers.keys()].sort()).toEqual([...each('v1'), ...each('v2')]);
  expect(await haproxy.servers()).toEqual([
    { name: 'server1', state: 'ready', weight: 7, status: 'UP' },
    { name: 'server2', state: 'ready', weight: 100, status: 'UP' },
    { name: 'server3', state: 'ready', weight: 1, status: 'UP' },
  ]);
  for (const instance of stand.fleet.instances) expect((await instance.observe()).version).toBe('v2');
});

test('a release that fails behind HAProxy is taken back, unseen by visitors, with the former weight', async () => {
  const stand = shared();
  const haproxy = haproxyOf(stand);
  const before = await haproxy.servers();
  expect(before[0]).toMatchObject({ state: 'ready', weight: 7 });
  writeVersion(stand, 'v3');
  failOnHealth(stand);
  const visitors = startVisitors(haproxy.url);
  const all = [1, 2, 3].map((at) => `version v2 instance server${at}`);
  await visitors.until(...all);
  const { body } = await stand.client.deploy(DEPLOY);
  const { answers, failed } = await visitors.stop();

  expect(body.code).toBe('-1');
  expect(body.msg).toContain('server1 failed at verify');
  expect(body.msg).toContain('server1 was brought back to its former release and weight');
  expect(failed).toEqual([]);
  expect([...answers.keys()].sort()).toEqual(all);
  expect(await haproxy.servers()).toEqual(before);
});

test('an instance in maintenance gets the release and stays in maintenance', async () => {
  const stand = shared();
  const haproxy = haproxyOf(stand);
  setBehaviour(uatProgram(stand), {});
  await haproxy.send('set server server/server2 state maint');
  const { body } = await stand.client.deploy({ ...DEPLOY, k: 'server2' });
  expect(body.code).toBe('0');
  expect((await stand.fleet.instance('server2').observe()).version).toBe('v3');
  expect((await haproxy.servers())[1]).toMatchObject({ state: 'maint', weight: 100 });
  await haproxy.send('set server server/server2 state ready');
});

test('a worker killed while an instance is drained leaves it to the next one, which gives back what was found', async () => {
  const stand = shared();
  const haproxy = haproxyOf(stand);
  await expect.poll(async () => (await haproxy.servers()).map(({ status }) => status)).toEqual(['UP', 'UP', 'UP']);
  const before = await haproxy.servers();
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  await follow(stand, id, 'step-mark server1 start', async () => {
    await stand.workers[0]?.kill9();
    expect((await haproxy.servers())[0]?.state).toBe('drain');
    await stand.addWorker();
    listen();
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  expect(body.job?.state).toBe('succeeded');
  expect(await haproxy.servers()).toEqual(before);
});

test('a balancer with an HTTP interface: the weight found is restored, after a failure too, and no secret is told', async ({
  start,
}) => {
  const secret = 'a-very-secret-word';
  const weights = new Map([
    ['server1', 7],
    ['server2', 3],
  ]);
  const changes: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const name = request.url?.split('/').at(-1) ?? '';
    if (request.headers.authorization !== `Bearer ${secret}`) return response.writeHead(401).end();
    if (request.method === 'PUT') {
      weights.set(name, Number(body));
      changes.push(`${name}=${body}`);
    }
    return response.end(`weight ${weights.get(name)}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weight/{instance}`;
  const headers = { Authorization: `Bearer ${secret}` };
  const stand = await start({
    fleet: { balancer: 'none' },
    config: withBalancer({
      type: 'http',
      look: { url, headers, in: '^weight [1-9]', out: '^weight 0', weight: '^weight (\\d+)' },
      drain: { method: 'PUT', url, headers, body: '0' },
      restore: { method: 'PUT', url, headers, body: '{weight}' },
    }),
  });

  const good = await stand.client.deploy(DEPLOY);
  expect(good.body.code).toBe('0');
  expect(changes).toEqual(['server1=0', 'server1=7', 'server2=0', 'server2=3']);
  failOnHealth(stand);
  const bad = await stand.client.deploy(DEPLOY);
  expect(bad.body.msg).toContain('server1 was brought back to its former release and weight');
  expect(changes.slice(4)).toEqual(['server1=0', 'server1=7']);
  for (const { body } of [good, bad]) {
    expect(JSON.stringify(body) + (await journalOf(stand, body.job?.id))).not.toContain(secret);
  }
});

test('a balancer behind commands: the state found is restored, after a failure too', async ({ start }) => {
  const dir = mkdtempSync(join(tmpdir(), 'rex-commands-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [key, weight] of [
    ['server1', 7],
    ['server2', 3],
  ]) {
    writeFileSync(join(dir, String(key)), `weight ${weight}\n`);
  }
  const stand = await start({
    fleet: { balancer: 'none' },
    config: withBalancer({
      type: 'command',
      look: `cat "${dir}/$REX_INSTANCE" || exit 2; ! grep -qx out "${dir}/$REX_INSTANCE"`,
      drain: `echo out > "${dir}/$REX_INSTANCE"; echo "$REX_INSTANCE out $REX_PORT" >> ${dir}/log`,
      restore: `echo "$REX_FOUND" > "${dir}/$REX_INSTANCE"; echo "$REX_INSTANCE $REX_FOUND" >> ${dir}/log`,
    }),
  });
  const log = (): string[] => readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');
  const [one, two] = stand.fleet.instances;

  expect((await stand.client.deploy(DEPLOY)).body.code).toBe('0');
  const rolled = [
    ...[`server1 out ${one?.port}`, 'server1 weight 7'],
    ...[`server2 out ${two?.port}`, 'server2 weight 3'],
  ];
  expect(log()).toEqual(rolled);
  failOnHealth(stand);
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toContain('server1 was brought back to its former release and weight');
  expect(log().slice(4)).toEqual([`server1 out ${one?.port}`, 'server1 weight 7']);
});

test('a backend that HAProxy does not have stops the roll-out before anything is touched, and names those it has', async ({
  start,
}) => {
  const stand = await start({ fleet: { balancer: 'haproxy' }, config: withBalancer({ backend: 'shop' }) });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.code).toBe('-1');
  expect(body.msg).toContain('there is no such backend; there are: server');
  for (const instance of stand.fleet.instances) expect((await instance.observe()).version).toBe('v1');
});
