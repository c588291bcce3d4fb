import { readFileSync, writeFileSync } from 'node:fs';
import type { FleetInstance } from '@rexdeploy/sandbox/instance';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { type Behaviour, setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { type Stand, type StandOptions, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };
const BROUGHT_BACK = 'server1 was brought back to its former release and weight; not touched: server2';
const BOTH_NEW = ['v2', 'v2'];
const BOTH_FORMER = ['v1', 'v1'];

/** Keys of the name, and of both of its instances. */
const configured = (server: JsonObject, instance: JsonObject = {}): StandOptions => ({
  config: {
    environments: { prod: { names: { server: { ...server, instances: { server1: instance, server2: instance } } } } },
  },
});

const QUICK = { service_timeout: { start: '1s', stop: '1s' } };
/** Absent from the file: the sandbox names a pattern. */
const NO_PATTERN = { process: undefined };

/**
 * Puts a script before the service's own, which it calls as `"$real" "$@"`. `$new` is `yes` where the new release is linked.
 */
function wrap({ service = '', programDir }: FleetInstance, body: string): void {
  const real = `${service}-real`;
  writeFileSync(real, readFileSync(service), { mode: 0o755 });
  const head = `#!/bin/sh\nreal=${real}\nif grep -q v2 ${programDir}/version.txt; then new=yes; else new=no; fi\n`;
  writeFileSync(service, `${head}${body}\nexec "$real" "$@"\n`);
}

const behave = ({ fleet }: Stand, behaviour: Behaviour): void =>
  setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', behaviour);

const running = async ({ fleet }: Stand, command: string): Promise<string> =>
  (await fleet.hostOf('server1').ssh(`pgrep -fx '${command}'`)).stdout;

test('a start that hangs is ended with all that it started, and the instance is brought back', async ({ start }) => {
  const stand = await start(configured(QUICK));
  wrap(
    stand.fleet.instance('server1'),
    'if [ "$1 $new" = "start yes" ]; then echo waiting for the licence; sleep 86391; fi',
  );
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toContain('server1 failed at switch');
  expect(body.msg).toMatch(
    /server1 did not start: .*did not end within 1 s\n.*exit code 124; its last output:\nwaiting for the licence/,
  );
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(await running(stand, 'sleep 86391')).toBe('');
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('a stop that hangs is ended, what it left running is killed, and the roll-out goes on', async ({ start }) => {
  const stand = await start(configured(QUICK));
  wrap(stand.fleet.instance('server1'), '[ "$1" != stop ] || sleep 86392');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(await running(stand, 'sleep 86392')).toBe('');
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});

test('a stop that fails does no harm where the processes end; they are killed where they do not', async ({ start }) => {
  const stand = await start(configured(QUICK));
  wrap(stand.fleet.instance('server1'), '[ "$1" != stop ] || { "$real" stop; exit 3; }');
  wrap(stand.fleet.instance('server2'), '[ "$1" != stop ] || exit 3');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});

test('an app that cannot be stopped is left as it is: it runs, and gets its traffic back', async ({ start }) => {
  const stand = await start(configured(QUICK, NO_PATTERN));
  const instance = stand.fleet.instance('server1');
  const before = instance.pids();
  wrap(instance, '[ "$1" != stop ] || { echo it is busy; exit 3; }');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toMatch(
    /server1 failed at switch: .*server1 did not stop: .*exit code 3; its last output:\nit is busy/,
  );
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(instance.pids()).toEqual(before);
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('a service that forks slowly is waited for', async ({ start }) => {
  const stand = await start();
  wrap(
    stand.fleet.instance('server1'),
    '[ "$1" != start ] || { ( sleep 1; exec "$real" start ) > /dev/null 2>&1 & exit 0; }',
  );
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});

test('an old process that a stop left listening is found out: it is healthy, and not the new release', async ({
  start,
}) => {
  const stand = await start(configured({}, NO_PATTERN));
  const instance = stand.fleet.instance('server1');
  const [before] = instance.pids();
  wrap(instance, '[ "$1" != stop ] || exit 0');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toContain('server1 failed at verify');
  expect(body.msg).toMatch(/process \d+, which listens on port \d+ \(working directory \S+html1_20180521_043510;/);
  expect(body.msg).toContain('runs from another release: cwd');
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(instance.pids()[0]).toBe(before);
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('a start script that brings up the old directory is found out', async ({ start }) => {
  const stand = await start();
  const { service = '', programDir } = stand.fleet.instance('server1');
  const text = readFileSync(service, 'utf8').replace(`='${programDir}'`, `='${programDir}_20180521_043510'`);
  writeFileSync(service, text);
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toContain('server1 failed at verify');
  expect(body.msg).toMatch(/server1 does not run \S+html1_2\d{7}_\d{6}: process \d+.*runs from another release: cwd/);
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('an app that answers for another release than the one it was asked for is not healthy', async ({ start }) => {
  const stand = await start(configured({}, { health: { contains: '{release}"', attempts: 5 } }));
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
  // It says what it was told, whatever it runs.
  const { service = '', programDir } = stand.fleet.instance('server1');
  writeFileSync(service, readFileSync(service, 'utf8').replace(`='${programDir}'`, `='${programDir}_20180521_043510'`));
  const { msg } = (await stand.client.deploy({ ...DEPLOY, k: 'server1' })).body;
  expect(msg).toMatch(/server1 failed at verify: .*the body lacks "html1_2\d{7}_\d{6}""/);
});

test('a release that dies a little after its start is taken back, where successes ask for longer than that', async ({
  start,
}) => {
  const stand = await start(configured({}, { health: { successes: 15, interval: '100ms', attempts: 20 } }));
  behave(stand, { die_after: 600 });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toMatch(/server1 failed at verify: .*not healthy 15 times in a row/);
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('a release that flaps is taken back, where it takes several healthy answers in a row', async ({ start }) => {
  const stand = await start(configured({}, { health: { successes: 4, interval: '20ms', attempts: 20 } }));
  behave(stand, { flap: 3 });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toMatch(/server1 failed at verify: .*not healthy 4 times in a row.*status 500/);
  expect(body.msg).toContain(BROUGHT_BACK);
  expect(await expectSound(stand)).toEqual(BOTH_FORMER);
});

test('a daemon that keeps the output of its start open holds nothing up', async ({ start }) => {
  const stand = await start();
  wrap(stand.fleet.instance('server1'), '[ "$1" != start ] || sleep 86393 &');
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(await running(stand, 'sleep 86393')).not.toBe('');
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});

/** The controller is what is shifted: on a host, all that tells the time must agree. */
test.for([
  ['ahead of', 3_600_000],
  ['behind', -3_600_000],
] as const)('the clock of the controller may be an hour %s that of the hosts', async ([, byMs], { start }) => {
  const shifted = `const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length > 0 ? given : [Real.now() + ${byMs}])); }
      static now() { return Real.now() + ${byMs}; }
    };`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shifted)}` };
  const stand = await start({ ...configured(QUICK), env });
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.msg).toBeUndefined();
  expect(Math.abs(Date.parse(body.job?.created_at ?? '') - Date.now() - byMs)).toBeLessThan(60_000);
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
  // What is brought back is held to the same proof.
  behave(stand, { fail: 'start' });
  expect((await stand.client.deploy(DEPLOY)).body.msg).toContain(BROUGHT_BACK);
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});
