import { readFileSync, writeFileSync } from 'node:fs';
import type { FleetInstance } from '@rexdeploy/sandbox/instance';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { type Behaviour, setBehaviour } from '@rexdeploy/sandbox/program';
import { expect, onTestFinished } from 'vitest';
import type { Answer } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { standForAll, test } from './support/stand.js';

/**
 * Services that misbehave. One fleet for most of them, with a name for each configuration: what fails is brought back to v1
 * there, and comes first; what succeeds goes on to v2.
 */
const standing = standForAll({
  fleet: { names: 4 },
  config: ({ names }) => {
    const [server, bare, patient, steady] = names.map(({ keys }) => keys);
    const of = (keys: string[] = [], instance: JsonObject = {}, name: JsonObject = {}): JsonObject => ({
      ...name,
      instances: Object.fromEntries(keys.map((key) => [key, instance])),
    });
    const health = { successes: 12, interval: '50ms', attempts: 60 };
    return {
      environments: {
        prod: {
          names: {
            server: of(server, {}, QUICK),
            // Absent from the file: the sandbox names a pattern.
            app2: of(bare, { process: undefined }),
            app3: of(patient, { health: { contains: '{release}"', attempts: 60 } }),
            app4: of(steady, { health }),
          },
        },
      },
    };
  },
});

/** What hangs is ended soon; what is well needs a small part of it, also on a machine that is busy. */
const QUICK = { service_timeout: { start: '4s', stop: '2s' } };
const [SERVER, BARE, PATIENT, STEADY] = ['server', 'app2', 'app3', 'app4'] as const;
const BOTH_NEW = ['v2', 'v2'];
const BOTH_FORMER = ['v1', 'v1'];

/** The first and the second instance of a name. */
function instancesOf(name: string): [FleetInstance, FleetInstance] {
  const [one, two] = standing().fleet.instances.filter((instance) => instance.name === name);
  if (one === undefined || two === undefined) throw new Error(`${name} has two instances`);
  return [one, two];
}
const deploy = async (k: string): Promise<Answer['body']> => (await standing().client.deploy({ k, senv: 'uat' })).body;
const broughtBack = (name: string): string => {
  const [one, two] = instancesOf(name);
  return `${one.key} was brought back to its former release and weight; not touched: ${two.key}`;
};

/** All is sound. @returns the versions that a name's instances answer */
const versionsOf = (name: string): Promise<(string | undefined)[]> => expectSound(standing(), { of: name });

/** Puts another script in the place of a service's own, for the test. */
function replace({ service = '' }: FleetInstance, change: (own: string) => string): void {
  const own = readFileSync(service, 'utf8');
  onTestFinished(() => writeFileSync(service, own));
  writeFileSync(service, change(own));
}

/**
 * Puts a script before the service's own, which it calls as `"$real" "$@"`. `$new` is `yes` where the new release is linked.
 */
function wrap(instance: FleetInstance, body: string): void {
  const { service = '', programDir } = instance;
  const real = `${service}-real`;
  replace(instance, (own) => {
    writeFileSync(real, own, { mode: 0o755 });
    const head = `#!/bin/sh\nreal=${real}\nif grep -q v2 ${programDir}/version.txt; then new=yes; else new=no; fi\n`;
    return `${head}${body}\nexec "$real" "$@"\n`;
  });
}

/** What the new release of a name does, for the test. */
function behave(name: string, behaviour: Behaviour): void {
  const dir = standing().fleet.uatDirs.get(name)?.programDir ?? '';
  onTestFinished(() => setBehaviour(dir, {}));
  setBehaviour(dir, behaviour);
}

const running = async ({ host }: FleetInstance, command: string): Promise<string> => {
  const at = standing().fleet.hosts.find(({ address }) => address === host);
  return (await at?.ssh(`pgrep -fx '${command}'`))?.stdout ?? '';
};

test('a start that hangs is ended with all that it started, and the instance is brought back', async () => {
  const [one] = instancesOf(SERVER);
  wrap(one, 'if [ "$1 $new" = "start yes" ]; then echo waiting for the licence; sleep 86391; fi');
  const { msg } = await deploy(SERVER);
  expect(msg).toContain('server1 failed at switch');
  expect(msg).toMatch(
    /server1 did not start: .*did not end within 4 s\n.*exit code 124; its last output:\nwaiting for the licence/,
  );
  expect(msg).toContain(broughtBack(SERVER));
  expect(await running(one, 'sleep 86391')).toBe('');
  expect(await versionsOf(SERVER)).toEqual(BOTH_FORMER);
});

test('a stop that hangs is ended, what it left running is killed, and the roll-out goes on', async () => {
  const [one] = instancesOf(SERVER);
  wrap(one, '[ "$1" != stop ] || sleep 86392');
  expect((await deploy(SERVER)).msg).toBeUndefined();
  expect(await running(one, 'sleep 86392')).toBe('');
  expect(await versionsOf(SERVER)).toEqual(BOTH_NEW);
});

test('a stop that fails does no harm where the processes end; they are killed where they do not', async () => {
  const [one, two] = instancesOf(SERVER);
  wrap(one, '[ "$1" != stop ] || { "$real" stop; exit 3; }');
  wrap(two, '[ "$1" != stop ] || exit 3');
  const before = [...one.pids(), ...two.pids()];
  expect((await deploy(SERVER)).msg).toBeUndefined();
  expect([...one.pids(), ...two.pids()].filter((pid) => before.includes(pid))).toEqual([]);
  expect(await versionsOf(SERVER)).toEqual(BOTH_NEW);
});

test('an app that cannot be stopped is left as it is: it runs, and gets its traffic back', async () => {
  const [one] = instancesOf(BARE);
  const before = one.pids();
  wrap(one, '[ "$1" != stop ] || { echo it is busy; exit 3; }');
  const { msg } = await deploy(BARE);
  expect(msg).toMatch(/app2-1 failed at switch: .*app2-1 did not stop: .*exit code 3; its last output:\nit is busy/);
  expect(msg).toContain(broughtBack(BARE));
  expect(one.pids()).toEqual(before);
  expect(await versionsOf(BARE)).toEqual(BOTH_FORMER);
});

test('an old process that a stop left listening is found out: it is healthy, and not the new release', async () => {
  const [one] = instancesOf(BARE);
  const [before] = one.pids();
  wrap(one, '[ "$1" != stop ] || exit 0');
  const { msg } = await deploy(BARE);
  expect(msg).toContain('app2-1 failed at verify');
  expect(msg).toContain(`(working directory ${one.programDir}_20180521_043510;`);
  expect(msg).toMatch(/process \d+, which listens on port \d+ .*runs from another release: cwd/);
  expect(msg).toContain(broughtBack(BARE));
  expect(one.pids()[0]).toBe(before);
  expect(await versionsOf(BARE)).toEqual(BOTH_FORMER);
});

/** Starts what lies in the first directory, whatever is linked. */
const startOld = (instance: FleetInstance): void =>
  replace(instance, (own) => own.replace(`='${instance.programDir}'`, `='${instance.programDir}_20180521_043510'`));

test('a start script that brings up the old directory is found out', async () => {
  const [one] = instancesOf(STEADY);
  startOld(one);
  const { msg } = await deploy(STEADY);
  expect(msg).toContain('app4-1 failed at verify');
  expect(msg).toContain(`app4-1 does not run ${one.programDir}_2`);
  expect(msg).toMatch(/: process \d+.*runs from another release: cwd/);
  expect(msg).toContain(broughtBack(STEADY));
  expect(await versionsOf(STEADY)).toEqual(BOTH_FORMER);
});

test('a release that dies a little after its start is taken back, where successes ask for longer than that', async () => {
  behave(STEADY, { die_after: 300 });
  const { msg } = await deploy(STEADY);
  expect(msg).toMatch(/app4-1 failed at verify: .*not healthy 12 times in a row/);
  expect(msg).toContain(broughtBack(STEADY));
  expect(await versionsOf(STEADY)).toEqual(BOTH_FORMER);
});

test('a release that flaps is taken back, where it takes several healthy answers in a row', async () => {
  behave(STEADY, { flap: 3 });
  const { msg } = await deploy(STEADY);
  expect(msg).toMatch(/app4-1 failed at verify: .*not healthy 12 times in a row.*status 500/);
  expect(msg).toContain(broughtBack(STEADY));
  expect(await versionsOf(STEADY)).toEqual(BOTH_FORMER);
});

test('a service that forks slowly is waited for', async () => {
  const [one] = instancesOf(PATIENT);
  wrap(one, '[ "$1" != start ] || { ( sleep 1; exec "$real" start ) > /dev/null 2>&1 & exit 0; }');
  expect((await deploy(PATIENT)).msg).toBeUndefined();
  expect(await versionsOf(PATIENT)).toEqual(BOTH_NEW);
});

test('a daemon that keeps the output of its start open holds nothing up', async () => {
  const [one] = instancesOf(PATIENT);
  wrap(one, '[ "$1" != start ] || sleep 86393 &');
  expect((await deploy(PATIENT)).msg).toBeUndefined();
  expect(await running(one, 'sleep 86393')).not.toBe('');
  expect(await versionsOf(PATIENT)).toEqual(BOTH_NEW);
});

test('an app that answers for another release than the one it was asked for is not healthy', async () => {
  const [one] = instancesOf(PATIENT);
  // It says what it was told, whatever it runs.
  startOld(one);
  expect((await deploy(one.key)).msg).toMatch(/app3-1 failed at verify: .*the body lacks "\S+_2\d{7}_\d{6}""/);
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
  const stand = await start({ config: { environments: { prod: { names: { server: QUICK } } } }, env });
  const send = () => stand.client.deploy({ k: SERVER, senv: 'uat' });
  const { body } = await send();
  expect(body.msg).toBeUndefined();
  expect(Math.abs(Date.parse(body.job?.created_at ?? '') - Date.now() - byMs)).toBeLessThan(60_000);
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
  // What is brought back is held to the same proof.
  setBehaviour(stand.fleet.uatDirs.get(SERVER)?.programDir ?? '', { fail: 'start' });
  expect((await send()).body.msg).toContain('server1 was brought back to its former release and weight');
  expect(await expectSound(stand)).toEqual(BOTH_NEW);
});
