import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { beforeEach, expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { refuseNothing, refuseVersion, uatProgram, versions, writeVersion } from './support/release-steps.js';
import { follow } from './support/roll-out.js';
import { type Stand, standForAll, test } from './support/stand.js';

/** What a failure leads to: on_failure of the name or of the request. */

const stand = standForAll({
  fleet: { instances: 3 },
  config: { worker: { lock: '2s', stalled_check: '500ms', sweep_after: '1s' } },
});
const DEPLOY = { k: 'server', senv: 'uat' };
const downs = ({ fleet }: Stand) => fleet.nginx?.upstream().map((line) => line.down);

/** What all answer before a test, and what its deployments bring. */
let before: (string | undefined)[];
let next: string;
let count = 1;
beforeEach(async () => {
  count += 1;
  next = `v${count}.`;
  writeVersion(stand(), next);
  before = await versions(stand());
});

/** Program releases on the host of each instance. */
async function releases({ fleet }: Stand): Promise<string[]> {
  const listed = fleet.instances.map(({ key, programDir }) => fleet.hostOf(key).ssh(`ls -d ${programDir}_*`));
  return (await Promise.all(listed)).map(({ stdout }) => stdout);
}

test('rollback_all: what had succeeded gets its former release too, through the balancer, the last one first', async () => {
  const { client } = stand();
  const lay = await releases(stand());
  await refuseVersion(stand(), 'server3', next);
  const { body } = await client.deploy({ ...DEPLOY, on_failure: 'rollback_all' });
  await refuseNothing(stand(), 'server3');
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server3 failed at switch');
  expect(body.msg).toContain('no licence');
  expect(body.msg).toContain('server3 was brought back to its former release and weight');
  expect(body.msg).toContain('taken back to the former release: server1 server2');
  expect(body.job?.progress.done).toBe('0');
  const undone: string[] = [];
  for await (const { type, data } of client.events(body.job?.id ?? '')) {
    if (type === 'undo-done' && data.step === 'switch') undone.push(String(data.instance));
  }
  expect(undone).toEqual(['server3', 'server2', 'server1']);
  expect(await expectSound(stand())).toEqual(before);
  expect(await releases(stand())).toEqual(lay);
});

test('rollback_all goes on where a killed worker left it', async () => {
  const { client, workers, addWorker } = stand();
  await refuseVersion(stand(), 'server3', next);
  const accepted = await client.rex({ action: 'deploy', ...DEPLOY, on_failure: 'rollback_all' });
  const id = accepted.body.job?.id ?? '';
  await follow(stand(), id, 'undo-started server2 switch', async () => {
    await workers[0]?.kill9();
    await addWorker();
  });
  await refuseNothing(stand(), 'server3');
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('failed');
  expect(await expectSound(stand())).toEqual(before);
});

test('rollback_all and an instance that is gone by then: what it cannot give up it goes on to serve, and that is told', async () => {
  const { client, fleet } = stand();
  const held = join(fleet.dir, 'held');
  writeFileSync(held, '');
  await refuseVersion(stand(), 'server3', next, { until: held });
  const accepted = await client.rex({ action: 'deploy', ...DEPLOY, on_failure: 'rollback_all' });
  const id = accepted.body.job?.id ?? '';
  const { sshd } = fleet.hostOf('server1');
  await follow(stand(), id, 'step-started server3 switch', async () => {
    await sshd.kill();
    rmSync(held);
  });
  const { body } = await client.get(`/jobs/${id}`);
  expect(body.job).toMatchObject({ state: 'failed', rollback: 'failed' });
  expect(body.msg).toContain('server3 was brought back to its former release and weight');
  expect(body.msg).toContain('could NOT be brought back: server1');
  expect(body.msg).toContain('on the new release: server1; taken back to the former release: server2');
  await sshd.restart();
  await refuseNothing(stand(), 'server3');
  expect(await expectSound(stand(), { allow: { unreached: ['server1'] } })).toEqual([next, ...before.slice(1)]);
});

test('halt: the failed instance stays as it is, out of rotation, and is told with all that is known', async () => {
  const { client, fleet } = stand();
  await refuseVersion(stand(), 'server1', next);
  const { body } = await client.deploy({ ...DEPLOY, on_failure: 'halt' });
  expect(body.job?.state).toBe('failed');
  const { programDir } = fleet.instance('server1');
  expect(body.msg).toContain('server1 was left as it is, because on_failure is halt');
  expect(body.msg).toMatch(
    new RegExp(`linked to ${programDir}_\\d{8}_\\d{6}, balancer: out \\(.*down.*\\), 0 processes`),
  );
  expect(body.msg).toContain('not touched: server2 server3');
  expect(downs(stand())).toEqual([true, false, false]);
  // Nothing gives it back by itself, and the release that is linked stays.
  const linked = await fleet
    .hostOf('server1')
    .ssh(`test -f ${programDir}/version.txt && cat ${programDir}/version.txt`);
  expect(linked.stdout.trim()).toBe(next);

  // The next deployment that succeeds gives it back what it had.
  await refuseNothing(stand(), 'server1');
  const again = await client.deploy(DEPLOY);
  expect(again.body.job?.state).toBe('succeeded');
  expect(await expectSound(stand())).toEqual([next, next, next]);
});

test('a policy that nobody knows is refused', async () => {
  const { status, body } = await stand().client.rex({ action: 'deploy', ...DEPLOY, on_failure: 'panic' });
  expect(status).toBe(400);
  expect(body.msg).toContain('on_failure="panic": expected rollback, rollback_all or halt');
});

test('the former release does not start either: a failed bring-back is told apart from a failed deployment', async () => {
  const { client, fleet } = stand();
  setBehaviour(uatProgram(stand()), { fail: 'start' });
  const { service } = fleet.instance('server1');
  const script = `#!/bin/sh\nif [ "$1" = start ]; then echo disk full; exit 9; fi\nexec ${service}-real "$@"\n`;
  await fleet.hostOf('server1').ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
  const { body } = await client.deploy(DEPLOY);
  expect(body.msg).toMatch(/server1 could NOT be brought back \(linked to \S+, balancer: out \(.*\), 0 processes\)/);
  expect(body.msg).toContain('disk full');
  expect(body.msg).toContain('server1 stays out of rotation');
  expect(downs(stand())).toEqual([true, false, false]);
  expect(body.job?.rollback).toBe('failed');
  const left: unknown[] = [];
  for await (const { type, data } of client.events(body.job?.id ?? '')) if (type === 'left') left.push(data);
  expect(left).toMatchObject([{ instance: 'server1', processes: 0 }]);
});
