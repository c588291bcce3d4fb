import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { versions, writeVersion } from './support/release-steps.js';
import { follow, startDeployment } from './support/roll-out.js';
import { standForAll, test } from './support/stand.js';

const stand = standForAll({ redis: { aof: true }, config: { worker: { lock: '2s', stalled_check: '500ms' } } });

test('a disk that is too small is told before anything is touched, with needed and available', async () => {
  const host = stand().fleet.hostOf('server2');
  const before = await versions(stand());
  // `stat` of the host tells of a full disk: 10 blocks of 1,024 bytes are free, and 50 of 100 inodes.
  host.putCommand('stat', '#!/bin/sh\nif [ "$1" = -f ]; then echo 10 1024 100 50; else exec /usr/bin/stat "$@"; fi\n');
  const { body } = await stand().client.deploy({ k: 'server', senv: 'uat' });
  host.putCommand('stat', '#!/bin/sh\nexec /usr/bin/stat "$@"\n');
  expect(body.code).toBe('-1');
  expect(body.msg).toMatch(/server2 needs \d+ bytes beside .*, 10240 are available/);
  expect(await expectSound(stand())).toEqual(before);
});

test('the connection to a host is cut in the middle of a step: it is opened again and the roll-out goes on', async () => {
  const { client, fleet } = stand();
  writeVersion(stand(), 'cut');
  const id = await startDeployment(stand());
  await follow(stand(), id, 'step-started server1 guard', () => fleet.hostOf('server1').sshd.dropSessions());
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand())).toEqual(['cut', 'cut']);
});

test('a ticket that never reached the queue is sent by a worker', async () => {
  const { client, redis, workers } = stand();
  writeVersion(stand(), 'ticket');
  workers[0]?.freeze();
  const id = await startDeployment(stand());
  const connection = new Redis(redis.url);
  await connection.del(...(await connection.keys('rex:deployments:*')));
  connection.disconnect();
  workers[0]?.thaw();
  expect((await client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand())).toEqual(['ticket', 'ticket']);
});

test('Redis restarted in the middle of a roll-out: nothing is lost', async () => {
  const { client, redis } = stand();
  writeVersion(stand(), 'restarted');
  const id = await startDeployment(stand());
  for await (const { type, data } of client.events(id)) {
    if (type === 'step-started' && data.step === 'stage') break;
  }
  await redis.stop();
  await pause(1_000); // the outage itself
  await redis.restart();
  const deadline = Date.now() + 60_000;
  let state: string | undefined;
  while (state !== 'succeeded' && Date.now() < deadline) {
    const answer = await client.get(`/jobs/${id}?wait=10`);
    expect([200, 503]).toContain(answer.status);
    state = answer.body.job?.state;
  }
  expect(state).toBe('succeeded');
  expect(await expectSound(stand())).toEqual(['restarted', 'restarted']);
});
