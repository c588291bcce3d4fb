import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Stand, test } from './support/stand.js';

const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };

async function startDeployment({ client }: Stand): Promise<string> {
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  expect(accepted.status).toBe(202);
  return accepted.body.job?.id ?? '';
}

/** Calls `act` once, when the given step of server1 begins, and follows the job to its end. */
async function actAt(stand: Stand, id: string, step: string, act: () => Promise<unknown>): Promise<void> {
  let acted = false;
  for await (const { type, data } of stand.client.events(id)) {
    if (acted || type !== 'step-started' || data.step !== step) continue;
    acted = true;
    await act();
  }
  expect(acted).toBe(true);
}

async function expectAllOnNew({ fleet }: Stand): Promise<void> {
  for (const instance of fleet.instances) {
    const seen = await instance.observe();
    expect(seen.version).toBe('v2');
    expect(seen.running).toHaveLength(2);
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
}

test('the connection to a host is cut in the middle of a step: it is opened again and the roll-out goes on', async ({
  start,
}) => {
  const stand = await start();
  const id = await startDeployment(stand);
  await actAt(stand, id, 'guard', () => stand.fleet.hostOf('server1').sshd.dropSessions());
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  await expectAllOnNew(stand);
});

test('a ticket that never reached the queue is sent by a worker', async ({ start }) => {
  const stand = await start({ workers: 0 });
  const id = await startDeployment(stand);
  const { Redis } = await import('ioredis');
  const redis = new Redis(stand.redis.url);
  const lost = await redis.keys('rex:deployments:*');
  await redis.del(...lost);
  redis.disconnect();
  await stand.addWorker();
  expect((await stand.client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
});

test('Redis restarted in the middle of a roll-out: nothing is lost', async ({ start }) => {
  const stand = await start({ redis: { aof: true }, config: FAST_TAKEOVER });
  const id = await startDeployment(stand);
  for await (const { type, data } of stand.client.events(id)) {
    if (type === 'step-started' && data.step === 'stage') break;
  }
  await stand.redis.stop();
  await pause(1_000); // the outage itself
  await stand.redis.restart();
  const deadline = Date.now() + 60_000;
  let state: string | undefined;
  while (state !== 'succeeded' && Date.now() < deadline) {
    const answer = await stand.client.get(`/jobs/${id}?wait=10`);
    expect([200, 503]).toContain(answer.status);
    state = answer.body.job?.state;
  }
  expect(state).toBe('succeeded');
  await expectAllOnNew(stand);
});

test('a disk that is too small is told before anything is touched, with needed and available', async ({ start }) => {
  const stand = await start();
  // `df` of the host tells of a full disk.
  stand.fleet
    .hostOf('server2')
    .putCommand(
      'df',
      '#!/bin/sh\nif [ "$1" = -Pk ]; then printf "Filesystem 1024-blocks Used Available Capacity Mounted\\nfull 100 90 10 90%% /\\n"; else exec /bin/df "$@"; fi\n',
    );
  const { body } = await stand.client.deploy({ k: 'server', senv: 'uat' });
  expect(body.code).toBe('-1');
  expect(body.msg).toMatch(/server2 needs \d+ bytes beside .*, 10240 are available/);
  expect((await stand.fleet.instance('server1').observe()).version).toBe('v1');
});
