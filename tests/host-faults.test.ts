import { createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startApi } from '@rexdeploy/sandbox/controller';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import type { Sshd } from '@rexdeploy/sandbox/sshd';
import { expect, onTestFinished } from 'vitest';
import type { Client, StreamedEvent } from './support/client.js';
import { holdBalancer } from './support/gate.js';
import { expectSound } from './support/invariants.js';
import { follow, journalOf, startDeployment, startSlowDeployment } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

/** Hosts, API and Redis that go away in the middle of a roll-out, and those that come back. */

const DEPLOY = { k: 'server', senv: 'uat' };
/** More retries than an outage of a moment can use up; and none. */
const PATIENT = { environments: { prod: { names: { server: { retries: 12 } } } } };
const IMPATIENT = { environments: { prod: { names: { server: { retries: 0 } } } } };

test('an sshd killed between two steps and back a moment later: the host is asked again', async ({ start }) => {
  const stand = await start({ config: PATIENT });
  const { sshd } = stand.fleet.hostOf('server1');
  const letGo = holdBalancer(stand.fleet);
  const id = await startDeployment(stand);
  let back: Promise<unknown> | undefined;
  await follow(stand, id, 'step-started server1 drain', async () => {
    await sshd.kill();
    back = follow(stand, id, 'step-retried server1', () => sshd.restart());
    letGo();
  });
  await back;
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

test('an sshd that is gone for good: nobody else is touched, the answer names what was left, the next deployment ends it', async ({
  start,
}) => {
  const stand = await start({ config: IMPATIENT });
  const { fleet, client } = stand;
  const { sshd } = fleet.hostOf('server1');
  const letGo = holdBalancer(stand.fleet);
  const id = await startDeployment(stand);
  const events = await follow(stand, id, 'step-started server1 drain', async () => {
    await sshd.kill();
    letGo();
  });
  const { body } = await client.get(`/jobs/${id}`);
  expect(body).toMatchObject({ code: '-1', data: { code: '-1' }, job: { state: 'failed', rollback: 'failed' } });
  expect(body.msg).toMatch(/server1 failed at switch: .*connection refused/);
  expect(body.msg).toContain('server1 could NOT be brought back');
  expect(body.msg).toContain('server1 stays out of rotation');
  expect(body.msg).toContain('not touched: server2');
  const left = events.filter(({ type }) => type === 'left').map(({ data }) => data);
  expect(left).toMatchObject([{ instance: 'server1', why: expect.stringContaining('connection refused') }]);
  // Nobody stopped the app either.
  expect(await expectSound(stand, { allow: { out: ['server1'], unreached: ['server1'] } })).toEqual(['v1', 'v1']);

  await sshd.restart();
  expect((await client.deploy(DEPLOY)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

/** Listens to a job as a browser does: whenever the stream breaks, it is opened again after the last event that came. */
async function listen(client: Client, id: string, onEvent: (event: StreamedEvent) => void): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  let last: string | undefined;
  while (events.at(-1)?.type !== 'end') {
    try {
      for await (const event of client.events(id, last)) {
        events.push(event);
        last = event.id ?? last;
        onEvent(event);
      }
    } catch {
      await pause(50); // nobody is there yet
    }
  }
  return events;
}

test('an API killed, and one stopped, while 20 clients listen: each gets every event once, and the end', async ({
  start,
}) => {
  const port = await findFreePort('127.0.0.1');
  const stand = await start({ config: { api: { port } } });
  const id = await startSlowDeployment(stand);
  const startAgain = async () => {
    const api = await startApi({ config: stand.configFile, env: stand.fleet.env });
    onTestFinished(() => api.stop());
    return api;
  };
  let restarts = Promise.resolve(stand.api);
  const seen = new Set<string>();
  const onEvent = ({ type, data }: StreamedEvent): void => {
    if (type !== 'step-mark' || data.mark !== 'start' || seen.has(String(data.instance))) return;
    seen.add(String(data.instance));
    restarts = restarts.then(async (api) => {
      await (data.instance === 'server1' ? api.kill9() : api.stop());
      return startAgain();
    });
  };
  const heard = await Promise.all(Array.from({ length: 20 }, () => listen(stand.client, id, onEvent)));
  await restarts;
  expect([...seen]).toEqual(['server1', 'server2']);

  const journal = await journalOf(stand, id);
  const marks = (events: readonly StreamedEvent[]) => events.map((event) => `${event.id} ${event.type}`);
  for (const events of heard) {
    expect(marks(events)).toEqual(marks(journal));
    expect(events.at(-1)).toMatchObject({ type: 'end', data: { job: { state: 'succeeded' } } });
  }
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});

/** Accepts connections in the place of an sshd and never says a word. */
async function silence(sshd: Sshd): Promise<Disposable> {
  await sshd.stop();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(sshd.port, sshd.address, resolve));
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** These spend most of their time waiting, each on a stand of its own. */
test.concurrent('hosts that accept a connection and stay silent are told after their time, and nothing was drained', async ({
  start,
  expect,
}) => {
  const stand = await start({ config: IMPATIENT });
  const { fleet, client } = stand;
  using _ = await silence(fleet.hostOf('server1').sshd);
  fleet.hostOf('server2').sshd.freeze();
  const { body } = await client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('no instance was taken out of rotation, stopped or switched');
  const failed = (await journalOf(stand, body.job?.id ?? '')).filter(({ type }) => type === 'step-failed');
  expect(failed).toHaveLength(2);
  for (const { data } of failed) {
    const { host } = fleet.instance(String(data.instance));
    const what = expect.stringMatching(/timed out after \d+ ms while shaking hands/);
    expect(data).toMatchObject({ step: 'stage', error: { what, where: expect.stringContaining(host) } });
  }
  fleet.hostOf('server2').sshd.thaw();
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

/** Longer than a worker's hold of a deployment, so that it has to be taken up again. */
const OUTAGE_MS = 4_000;
const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };
const OUTAGES = {
  killed: async ({ redis }: Stand) => {
    await redis.kill();
    await pause(OUTAGE_MS); // the outage itself
    await redis.restart();
  },
  frozen: async ({ redis }: Stand) => {
    redis.freeze();
    await pause(OUTAGE_MS); // the outage itself
    redis.thaw();
  },
} as const;

for (const [how, outage] of Object.entries(OUTAGES)) {
  test.concurrent(`Redis ${how} for longer than a hold lasts, while an instance is drained: the roll-out ends as if nothing had happened`, async ({
    start,
    expect,
  }) => {
    const stand = await start({ redis: { aof: true }, config: FAST_TAKEOVER });
    const id = await startSlowDeployment(stand);
    for await (const { type, data } of stand.client.events(id)) {
      if (type === 'step-mark' && data.mark === 'start') break;
    }
    await outage(stand);
    const stateNow = async () => (await stand.client.get(`/jobs/${id}?wait=5`)).body.job?.state;
    await expect.poll(stateNow, { timeout: 40_000 }).toBe('succeeded');
    expect(await expectSound(stand)).toEqual(['v2', 'v2']);
    const done = (await journalOf(stand, id)).filter(({ type }) => type === 'step-done');
    expect(new Set(done.map(({ data }) => `${data.instance} ${data.step}`)).size).toBe(done.length);
  });
}
