import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import { loadConfig } from '@rexdeploy/shared/config/load';
import type { ReachedHost, ResolvedCommand, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openFence } from '../../testing/open-fence.js';
import { describeBalancer } from '../balancer.contract.js';
import { CommandBalancer } from './command.js';

const { signal } = new AbortController();
const connections = new Connections();
let fleet: Fleet;
let instance: ResolvedInstance;
let reach: ReachedHost;
let dir: string;

beforeAll(async () => {
  fleet = await startFleet({ app: false });
  const found = loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.get('server1');
  if (found?.balancer.type !== 'nginx') throw new Error('server1 has no balancer');
  instance = { ...found, balancerPort: 8080 };
  const { host, login } = found.balancer;
  reach = { host, login };
});
afterAll(async () => {
  await connections.closeAll();
  await fleet.close();
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rex-command-'));
  writeFileSync(stateFile(), 'weight 7\n');
  return () => rmSync(dir, { recursive: true, force: true });
});

const stateFile = (): string => join(dir, 'server1');
const settings = (changes: Partial<ResolvedCommand> = {}): ResolvedCommand => ({
  type: 'command',
  reach: undefined,
  look: `cat "${dir}/$REX_INSTANCE" || exit 3; ! grep -q out "${dir}/$REX_INSTANCE"`,
  drain: `echo out > "${dir}/$REX_INSTANCE"`,
  restore: `printf '%s\\n' "$REX_FOUND" > "${dir}/$REX_INSTANCE"`,
  weight: `echo "weight $REX_WEIGHT" > "${dir}/$REX_INSTANCE"`,
  settle: 0,
  timeout: 5_000,
  ...changes,
});
const driver = (changes: Partial<ResolvedCommand> = {}, of: Partial<ResolvedInstance> = {}): CommandBalancer =>
  new CommandBalancer(settings(changes), { ...instance, ...of }, async (to) =>
    openFence(await connections.get(to), `${fleet.dir}/fence`),
  );

for (const place of ['this machine', 'a host']) {
  const changes = (): Partial<ResolvedCommand> => (place === 'a host' ? { reach } : {});
  describeBalancer(`commands on ${place}`, async () => ({
    balancer: driver(changes()),
    stranger: driver(changes(), { key: 'stranger' }),
    strangerError: /command on .*: `look` for stranger ended with exit code 3: .*stranger: No such file/,
    isIn: async () => readFileSync(stateFile(), 'utf8') === 'weight 7\n',
    setByHand: async (inRotation) => writeFileSync(stateFile(), inRotation ? 'weight 7\n' : 'out\n'),
  }));

  describe(`commands on ${place}`, () => {
    test('get the facts in their environment, however they are written', async () => {
      const evil = `it's "$(touch ${dir}/evil)" \`x\` \\ ; exit 9`;
      writeFileSync(stateFile(), `${evil}\n`);
      const balancer = driver({
        ...changes(),
        drain: `printf '%s|' "$REX_INSTANCE" "$REX_HOST" "$REX_PORT" "$REX_FOUND" > ${dir}/facts; echo out > ${dir}/server1`,
      });
      const found = await balancer.look(signal);
      expect(found).toEqual({ in: true, exact: evil });
      await balancer.takeOut(found, signal);
      expect(readFileSync(join(dir, 'facts'), 'utf8')).toBe(`server1|${instance.host}|8080|${evil}|`);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
    });

    test('do not show in the process list', async () => {
      const look = `ps -eo args | grep -c 'unseen[-]mark'; [ "$?" = 1 ] # unseen-mark`;
      expect(await driver({ ...changes(), look }).look(signal)).toMatchObject({ in: true, exact: '0' });
    });

    test('that say neither in nor out are an error with their own words', async () => {
      await expect(driver({ ...changes(), look: 'echo no licence >&2; exit 2' }).look(signal)).rejects.toThrow(
        /`look` for server1 ended with exit code 2: no licence; it must end with 0 .* or 1/,
      );
      await expect(driver({ ...changes(), look: 'no-such-program' }).look(signal)).rejects.toThrow(/127.*not found/);
    });

    test('that change nothing are an error', async () => {
      const balancer = driver({ ...changes(), drain: 'true', timeout: 1_500 });
      const found = await balancer.look(signal);
      await expect(balancer.takeOut(found, signal)).rejects.toThrow(
        /server1 shall be out of rotation and is in rotation as "weight 7" after 1500 ms/,
      );
    });

    test('that never end are ended, with what they started', async () => {
      const look = `sleep 60 & echo $! > ${dir}/pid; wait`;
      await expect(driver({ ...changes(), look, timeout: 500 }).look(signal)).rejects.toThrow(
        /did not end within 500 ms/,
      );
      const pid = readFileSync(join(dir, 'pid'), 'utf8').trim();
      await expect.poll(() => isRunning(Number(pid)), { timeout: 10_000 }).toBe(false);
    });

    test('may leave something in the background that holds their output', async () => {
      const began = Date.now();
      const look = `sleep 300 & echo $! > ${dir}/pid; echo up`;
      expect(await driver({ ...changes(), look }).look(signal)).toEqual({ in: true, exact: 'up' });
      expect(Date.now() - began).toBeLessThan(60_000);
      process.kill(Number(readFileSync(join(dir, 'pid'), 'utf8')));
    });
  });
}

function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
