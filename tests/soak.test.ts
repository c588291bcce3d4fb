import { expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { follow, startDeployment } from './support/roll-out.js';
import { type StandOptions, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };
const soaking = (soak: string): StandOptions => ({
  config: {
    worker: { lock: '2s', stalled_check: '500ms' },
    environments: {
      prod: { names: { server: { instances: { server1: { health: { soak } }, server2: { health: { soak } } } } } },
    },
  },
});

test('a release that dies while the first batch is watched is taken back, and the others never get it', async ({
  start,
}) => {
  const stand = await start(soaking('30s'));
  const id = await startDeployment(stand);
  await follow(stand, id, 'step-started server1 soak', async () => {
    for (const pid of stand.fleet.instance('server1').pids()) process.kill(pid, 'SIGKILL');
  });
  const { body } = await stand.client.get(`/jobs/${id}`);
  // By its health or by its processes, whichever is asked first.
  expect(body.msg).toMatch(
    /server1 failed at soak: .*(not healthy any more after \d\.\d s of soak: .*ECONN|no process matches)/,
  );
  expect(body.msg).toContain('server1 was brought back to its former release and weight');
  expect(await expectSound(stand)).toEqual(['v1', 'v1']);
});

test('the first batch alone is watched, and a worker that takes over watches again', async ({ start }) => {
  const stand = await start(soaking('1s'));
  const accepted = await stand.client.rex({ action: 'deploy', ...DEPLOY });
  const id = accepted.body.job?.id ?? '';
  const soaks: unknown[] = [];
  let killed = false;
  for await (const { type, data } of stand.client.events(id)) {
    if (data.step !== 'soak') continue;
    soaks.push(`${type} ${data.instance}`);
    if (killed) continue;
    killed = true;
    await stand.workers[0]?.kill9();
    await stand.addWorker();
  }
  expect(soaks).toEqual(['step-started server1', 'step-done server1']);
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});
