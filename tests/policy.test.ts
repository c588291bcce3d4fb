import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { type Stand, test } from './support/stand.js';

/** What a failure leads to: on_failure of the name or of the request. */

/** The new release fails on one instance only: its service says no to the new release. */
async function refuseOn({ fleet }: Stand, key: string): Promise<void> {
  const { service, programDir } = fleet.instance(key);
  const script = `#!/bin/sh
if [ "$1" = start ] && ! grep -qx v1 ${programDir}/version.txt; then echo "no licence for this version" >&2; exit 3; fi
exec ${service}-real "$@"
`;
  await fleet.hostOf(key).ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
}

const versions = ({ fleet }: Stand) => Promise.all(fleet.instances.map(async (each) => (await each.observe()).version));
const downs = ({ fleet }: Stand) => fleet.nginx?.upstream().map((line) => line.down);
const DEPLOY = { k: 'server', senv: 'uat' };

test('rollback_all: what had succeeded gets its former release too, through the balancer, the last one first', async ({
  start,
}) => {
  const stand = await start({ fleet: { instances: 3 } });
  await refuseOn(stand, 'server3');
  const { body } = await stand.client.deploy({ ...DEPLOY, on_failure: 'rollback_all' });
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server3 failed at switch');
  expect(body.msg).toContain('no licence for this version');
  expect(body.msg).toContain('server3 was brought back to its former release and weight');
  expect(body.msg).toContain('taken back to the former release: server1 server2');
  expect(body.job?.progress.done).toBe('0');
  expect(await versions(stand)).toEqual(['v1', 'v1', 'v1']);
  expect(downs(stand)).toEqual([false, false, false]);
  const undone: string[] = [];
  for await (const { type, data } of stand.client.events(body.job?.id ?? '')) {
    if (type === 'undo-done' && data.step === 'switch') undone.push(String(data.instance));
  }
  expect(undone).toEqual(['server3', 'server2', 'server1']);
  for (const instance of stand.fleet.instances) {
    const releases = await stand.fleet.hostOf(instance.key).ssh(`ls -d ${instance.programDir}_*`);
    expect(releases.stdout.trim().split('\n')).toHaveLength(1);
  }
  expect((await stand.client.get('/names/server')).body.data.lock).toEqual({});
});

test('rollback_all goes on where a killed worker left it', async ({ start }) => {
  const stand = await start({
    fleet: { instances: 3 },
    config: { worker: { lock: '2s', stalled_check: '500ms' } },
  });
  await refuseOn(stand, 'server3');
  const accepted = await stand.client.rex({ action: 'deploy', ...DEPLOY, on_failure: 'rollback_all' });
  const id = accepted.body.job?.id ?? '';
  let killed = false;
  for await (const { type, data } of stand.client.events(id)) {
    if (killed || type !== 'undo-started' || data.step !== 'switch' || data.instance !== 'server2') continue;
    killed = true;
    await stand.workers[0]?.kill9();
    await stand.addWorker();
  }
  expect(killed).toBe(true);
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('failed');
  expect(await versions(stand)).toEqual(['v1', 'v1', 'v1']);
  expect(downs(stand)).toEqual([false, false, false]);
});

test('halt: the failed instance stays as it is, out of rotation, and is told with all that is known', async ({
  start,
}) => {
  const stand = await start({
    config: { environments: { prod: { names: { server: { on_failure: 'halt' } } } } },
  });
  await refuseOn(stand, 'server1');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  const { programDir } = stand.fleet.instance('server1');
  expect(body.msg).toContain('server1 was left as it is, because on_failure is halt');
  expect(body.msg).toMatch(
    new RegExp(`linked to ${programDir}_\\d{8}_\\d{6}, balancer: out \\(.*down.*\\), 0 processes`),
  );
  expect(body.msg).toContain('not touched: server2');
  expect(downs(stand)).toEqual([true, false]);
  // Nothing gives it back by itself, and the release that is linked stays.
  const linked = await stand.fleet
    .hostOf('server1')
    .ssh(`test -f ${programDir}/version.txt && cat ${programDir}/version.txt`);
  expect(linked.stdout.trim()).toBe('v2');

  // The next deployment that succeeds gives it back what it had.
  const { service } = stand.fleet.instance('server1');
  await stand.fleet.hostOf('server1').ssh(`mv ${service}-real ${service}`);
  const again = await stand.client.deploy(DEPLOY);
  expect(again.body.job?.state).toBe('succeeded');
  expect(await versions(stand)).toEqual(['v2', 'v2']);
  expect(downs(stand)).toEqual([false, false]);
});

test('a policy that nobody knows is refused', async ({ start }) => {
  const stand = await start({ workers: 0 });
  const { status, body } = await stand.client.rex({ action: 'deploy', ...DEPLOY, on_failure: 'panic' });
  expect(status).toBe(400);
  expect(body.msg).toContain('on_failure="panic": expected rollback, rollback_all or halt');
});

test('the former release does not start either: a failed bring-back is told apart from a failed deployment', async ({
  start,
}) => {
  const stand = await start();
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
  const { service } = stand.fleet.instance('server1');
  const script = `#!/bin/sh\nif [ "$1" = start ]; then echo disk full; exit 9; fi\nexec ${service}-real "$@"\n`;
  await stand.fleet
    .hostOf('server1')
    .ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toMatch(/server1 could NOT be brought back \(linked to \S+, balancer: out \(.*\), 0 processes\)/);
  expect(body.job?.rollback).toBe('failed');
  const left: unknown[] = [];
  for await (const { type, data } of stand.client.events(body.job?.id ?? '')) if (type === 'left') left.push(data);
  expect(left).toMatchObject([{ instance: 'server1', processes: 0 }]);
});
