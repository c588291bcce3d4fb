import { expect } from 'vitest';
import { writeVersion } from './support/release-steps.js';
import { type Stand, standForAll, test } from './support/stand.js';

/** Workers that are asked to stop: deployments change hands, and nothing else changes. */

const stand = standForAll({ fleet: { instances: 3 }, workers: 2 });
let versions = 1;

/** Sends the deployment of a version of its own. @returns the job's id at once */
async function startNext(): Promise<string> {
  versions += 1;
  writeVersion(stand(), `v${versions}`);
  return (await stand().client.rex({ action: 'deploy', k: 'server', senv: 'uat' })).body.job?.id ?? '';
}

async function expectRolled({ fleet, client }: Stand, id: string): Promise<void> {
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  for (const instance of fleet.instances) {
    const seen = await instance.observe();
    expect(seen.version).toBe(`v${versions}`);
    expect(seen.running).toHaveLength(2);
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
}

for (const step of ['stage', 'drain', 'verify']) {
  test(`asked to stop during ${step}: the step ends, another worker goes on at once`, async () => {
    const { client, workers, addWorker } = stand();
    const id = await startNext();
    const claims: string[] = [];
    const started: string[] = [];
    let handedBackMs = 0;
    let stopped: Promise<void> | undefined;
    for await (const { type, data } of client.events(id)) {
      if (type === 'claimed') {
        claims.push(String(data.worker));
        if (handedBackMs > 0) expect(Date.parse(String(data.at)) - handedBackMs).toBeLessThan(5_000);
      }
      if (type === 'handed-back') handedBackMs = Date.parse(String(data.at));
      if (type === 'step-started') started.push(`${data.instance} ${data.step}`);
      if (type !== 'step-started' || data.step !== step || stopped !== undefined) continue;
      const owner = workers.find((worker) => worker.id === claims[0]);
      stopped = owner?.stop();
    }
    await stopped;
    expect(claims).toHaveLength(2);
    expect(handedBackMs).toBeGreaterThan(0);
    // `stage` may be begun again, since it is left in the middle; nothing else happens twice.
    const others = started.filter((each) => !each.endsWith('stage'));
    expect(new Set(others).size).toBe(others.length);
    await expectRolled(stand(), id);
    await addWorker();
  });
}

test('a rolling restart of all workers changes nothing but their names in the journal', async () => {
  const { client, workers, addWorker } = stand();
  const id = await startNext();
  const done: string[] = [];
  const owners = new Set<unknown>();
  const restarts: Promise<unknown>[] = [];
  let strikes = 0;
  for await (const { type, data } of client.events(id)) {
    if (type === 'claimed') owners.add(data.worker);
    if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
    if (type !== 'step-started' || data.step !== 'drain' || strikes === 2) continue;
    const owner = workers.find((worker) => worker.id === [...owners].at(-1));
    if (owner === undefined) continue;
    // Not waited for here: the next moment would be over when it is read of.
    restarts.push(owner.stop(), addWorker());
    strikes += 1;
  }
  await Promise.all(restarts);
  expect(owners.size).toBeGreaterThan(2);
  expect(new Set(done).size).toBe(done.length);
  await expectRolled(stand(), id);
});

test('the only worker ends the instance that it has before it goes: nothing stays out of rotation', async () => {
  const { client, fleet, workers, addWorker } = stand();
  const [last, ...others] = workers.filter(({ child }) => child.isRunning());
  await Promise.all(others.map((worker) => worker.stop()));
  const id = await startNext();
  for await (const { type, data } of client.events(id)) {
    if (type === 'step-started' && data.step === 'drain') break;
  }
  await last?.stop();
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('queued');
  await addWorker();
  await client.get(`/jobs/${id}?wait=60`);
  await expectRolled(stand(), id);
});
