import { dirname } from 'node:path';
import type { Worker } from '@rexdeploy/sandbox/controller';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { holdBalancer } from './support/gate.js';
import { expectSound } from './support/invariants.js';
import { uatProgram, versions, writeVersion } from './support/release-steps.js';
import { type Stand, standForAll, test } from './support/stand.js';

const stand = standForAll({ config: { worker: { lock: '2s', stalled_check: '200ms' } } });

/** Where a worker is struck: at the beginning of these steps, of one roll-out. */
const MOMENTS = [
  'server1 stage',
  'server1 drain',
  'server1 switch',
  'server2 guard',
  'server2 verify',
  'server2 restore',
];

/** Follows a roll-out and strikes whoever owns it at each of the moments. @returns who owned it, and how often one was struck */
async function rollOutUnder(
  version: string,
  strike: (owner: Worker) => unknown,
  afterClaim: (former: Worker) => void,
): Promise<{ claims: string[]; strikes: number }> {
  const { client, workers, addWorker, fleet } = stand();
  writeVersion(stand(), version);
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  const id = accepted.body.job?.id ?? '';
  const done: string[] = [];
  const claims: string[] = [];
  const moments = [...MOMENTS];
  let struck: Worker | undefined;
  let strikes = 0;
  let letGo: (() => void) | undefined;
  for await (const { type, data } of client.events(id)) {
    if (type === 'claimed') {
      claims.push(String(data.worker));
      if (struck !== undefined) afterClaim(struck);
      struck = undefined;
    }
    if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
    const at = moments.indexOf(`${data.instance} ${data.step}`);
    const owner = workers.find((worker) => worker.id === claims.at(-1));
    if (type !== 'step-started' || at < 0 || owner === undefined) continue;
    const [moment] = moments.splice(at, 1);
    // Past the last of them the roll-out is over in a moment.
    if (moment === 'server2 verify') letGo = holdBalancer(fleet);
    // Whoever is struck may have come as far as this meanwhile: some steps take a millisecond.
    if (struck === undefined) {
      struck = owner;
      strikes += 1;
      await strike(owner);
      await addWorker();
    }
    if (moment === 'server2 restore') letGo?.();
  }
  const ended = await client.get(`/jobs/${id}`);
  expect(ended.body.msg ?? '').toBe('');
  expect(ended.body.job?.state).toBe('succeeded');
  expect(moments).toEqual([]);
  // Nothing is done twice and nothing skipped.
  expect(new Set(done).size).toBe(done.length);
  for (const instance of fleet.instances) {
    const seen = await instance.observe();
    expect(seen.version).toBe(version);
    expect(seen.running).toHaveLength(2);
    const beside = await fleet.hostOf(instance.key).ssh(`ls -A ${dirname(instance.programDir)}/.rexdeploy`);
    expect(beside.stdout).not.toMatch(/partial|\.lock|\.rotation/);
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  return { claims, strikes };
}

test('workers killed in every step are replaced, and the roll-out ends as if nothing had happened', async () => {
  const { claims, strikes } = await rollOutUnder(
    'v2',
    (owner) => owner.kill9(),
    () => undefined,
  );
  expect(strikes).toBeGreaterThanOrEqual(MOMENTS.length - 2);
  expect(new Set(claims).size).toBe(strikes + 1);
});

test('workers frozen in every step do nothing further when they wake up, and are not missed', async () => {
  await rollOutUnder(
    'v3',
    (owner) => owner.freeze(),
    (former) => former.thaw(),
  );
  // The next tests strike the only one that there is.
  const { workers } = stand();
  await Promise.all(workers.slice(0, -1).map((worker) => worker.stop()));
});

/** Kills the worker when it begins to undo something, and has another one go on. @returns the answer at the end */
async function killedAtUndo({ client, workers, addWorker }: Stand, step: string) {
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  const id = accepted.body.job?.id ?? '';
  let killed = false;
  for await (const { type, data } of client.events(id)) {
    if (type !== 'undo-started' || data.step !== step || killed) continue;
    killed = true;
    await workers.at(-1)?.kill9();
    await addWorker();
  }
  expect(killed).toBe(true);
  return (await client.get(`/jobs/${id}`)).body;
}

/** Program releases on the host of each instance. */
async function releases({ fleet }: Stand): Promise<string[]> {
  const listed = fleet.instances.map(({ key, programDir }) => fleet.hostOf(key).ssh(`ls -d ${programDir}_*`));
  return (await Promise.all(listed)).map(({ stdout }) => stdout);
}

for (const undone of ['switch', 'drain', 'stage']) {
  test(`a worker killed while it takes ${undone} back is replaced, and all is brought back`, async () => {
    const before = [await versions(stand()), await releases(stand())];
    setBehaviour(uatProgram(stand()), { fail: 'start' });
    const body = await killedAtUndo(stand(), undone);
    setBehaviour(uatProgram(stand()), {});
    expect(body.job?.state).toBe('failed');
    expect(body.msg).toContain('server1 was brought back to its former release and weight');
    expect(await expectSound(stand())).toEqual(before[0]);
    expect(await releases(stand())).toEqual(before[1]);
  });
}

test('a worker killed after staging failed is replaced; the answer gives the true reason and nothing is left', async () => {
  const { fleet } = stand();
  const [ofServer1] = await releases(stand());
  const { sshd } = fleet.hostOf('server2');
  await sshd.stop();
  const body = await killedAtUndo(stand(), 'stage');
  await sshd.restart();
  expect(body.msg).toContain(fleet.instance('server2').host);
  expect(body.msg).toContain('no instance was taken out of rotation, stopped or switched');
  expect((await releases(stand()))[0]).toBe(ofServer1);
});
