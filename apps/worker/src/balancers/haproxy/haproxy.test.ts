import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { runCommand } from '@rexdeploy/sandbox/command';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import type { Haproxy } from '@rexdeploy/sandbox/haproxy';
import { startHaproxy } from '@rexdeploy/sandbox/haproxy';
import { SMALL_PROGRAM } from '@rexdeploy/sandbox/program';
import { loadConfig } from '@rexdeploy/shared/config/load';
import type { HaproxyReach, ResolvedHaproxy, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scripts } from '../../hosts/remote-scripts.js';
import { openFence } from '../../testing/open-fence.js';
import { describeBalancer } from '../balancer.contract.js';
import { HaproxyBalancer } from './haproxy.js';

const { signal } = new AbortController();
let fleet: Fleet;
let haproxy: Haproxy;
let instance: ResolvedInstance;
let overSsh: ResolvedHaproxy;
const connections = new Connections();

beforeAll(async () => {
  fleet = await startFleet({ balancer: 'haproxy', program: SMALL_PROGRAM });
  if (fleet.haproxy === undefined) throw new Error('the fleet has no HAProxy');
  haproxy = fleet.haproxy;
  const found = loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.get('server1');
  if (found?.balancer.type !== 'haproxy') throw new Error('server1 has no HAProxy');
  instance = found;
  overSsh = found.balancer;
  await haproxy.send('set server server/server1 weight 7');
});
afterAll(async () => {
  await connections.closeAll();
  await fleet.close();
});

const driver = (
  changes: Partial<ResolvedHaproxy> = {},
  of: Partial<ResolvedInstance> = {},
  onConnect = (): void => undefined,
): HaproxyBalancer =>
  new HaproxyBalancer({ ...overSsh, ...changes }, { ...instance, ...of }, async (settings) => {
    onConnect();
    return openFence(await connections.get(settings), `${fleet.dir}/fence`);
  });
const overTcp = (): { reach: HaproxyReach } => ({ reach: { address: haproxy.statsAddress } });
const server1 = async () => (await haproxy.servers()).find(({ name }) => name === 'server1');

for (const way of ['SSH', 'TCP']) {
  describeBalancer(`HAProxy over ${way}`, async () => {
    const changes = way === 'TCP' ? overTcp() : {};
    await expect.poll(async () => (await server1())?.status).toBe('UP');
    return {
      balancer: driver(changes),
      stranger: driver(changes, { host: '10.9.9.9' }),
      strangerError: /no server at 10\.9\.9\.9 .*there are: server1 \(127\.\d+\.\d+\.\d+:\d+\), server2 /,
      isIn: async () => (await server1())?.status === 'UP',
      setByHand: async (inRotation) => {
        await haproxy.send(`set server server/server1 state ${inRotation ? 'ready' : 'maint'}`);
      },
    };
  });
}

describe('HAProxy', () => {
  beforeEach(async () => {
    await haproxy.send('set server server/server1 weight 7; set server server/server1 state ready');
    await expect.poll(async () => (await server1())?.status).toBe('UP');
  });

  test('state and weight are kept as they were found', async () => {
    const found = await driver().look(signal);
    expect(found).toEqual({ in: true, up: true, exact: 'ready weight=7', weight: 7 });
  });

  test('a weight of 0 is out of rotation, and is given back as 0', async () => {
    await haproxy.send('set server server/server1 weight 0');
    const balancer = driver();
    const found = await balancer.look(signal);
    expect(found).toMatchObject({ in: false, exact: 'ready weight=0' });
    await balancer.takeOut(found, signal);
    await balancer.giveBack(found, signal);
    expect(await server1()).toMatchObject({ state: 'ready', weight: 0 });
    await haproxy.send('set server server/server1 weight 7');
  });

  test('a restart in the middle, which forgets all runtime state, does not change what is given back', async () => {
    const balancer = driver();
    const found = await balancer.look(signal);
    await balancer.takeOut(found, signal);
    await haproxy.restart();
    expect(await server1()).toMatchObject({ weight: 1 });
    await balancer.giveBack(found, signal);
    expect(await server1()).toMatchObject({ state: 'ready', weight: 7, status: 'UP' });
  });

  test('giving back waits for the check of HAProxy itself', async () => {
    const balancer = driver();
    const found = await balancer.look(signal);
    await balancer.takeOut(found, signal);
    await fleet.instance('server1').runService('stop');
    await expect.poll(async () => (await balancer.look(signal)).up).toBe(false);
    const back = balancer.giveBack(found, signal);
    await expect.poll(async () => (await server1())?.status).toMatch(/^DOWN/);
    await fleet.instance('server1').start();
    await back;
    expect(await server1()).toMatchObject({ weight: 7, status: 'UP' });
  });

  test('and says so when that check never agrees', async () => {
    const balancer = driver({ timeout: 300 });
    const found = await balancer.look(signal);
    await balancer.takeOut(found, signal);
    await fleet.instance('server1').runService('stop');
    await expect.poll(async () => (await balancer.look(signal)).up).toBe(false);
    await expect(balancer.giveBack(found, signal)).rejects.toThrow(/own check says DOWN after 300 ms/);
    const down = await balancer.look(signal);
    expect(down).toMatchObject({ in: true, up: false, exact: 'ready weight=7 down' });
    // One that was down before gets back what it had.
    await balancer.takeOut(down, signal);
    await balancer.giveBack(down, signal);
    await fleet.instance('server1').start();
    await expect.poll(async () => (await server1())?.status).toBe('UP');
  });

  test('a backend that is not there is an error that names those that are', async () => {
    await expect(driver({ backend: 'shop' }).look(signal)).rejects.toThrow(/no such backend; there are: server$/);
  });

  test('a server that is named and not there, likewise', async () => {
    await expect(driver({ server: 'x' }).look(signal)).rejects.toThrow(/no server x for server1; there are: server1 /);
  });

  test('a socket that is not there is an error with the line that HAProxy needs', async () => {
    const reach = { ...overSsh.reach, socket: '/run/no.sock' } as HaproxyReach;
    await expect(driver({ reach, timeout: 100 }).look(signal)).rejects.toThrow(/no\.sock is no socket.*level admin/);
  });

  test('it is asked again while it is started anew', async () => {
    for (const way of ['SSH', 'TCP']) {
      let asked = 0;
      let started = Promise.resolve();
      const balancer = driver(way === 'TCP' ? overTcp() : {}, {}, () => {
        asked += 1;
        // After the look, the second time that it is asked is after one that nobody answered.
        if (asked === 3) started = haproxy.restart();
      });
      const found = await balancer.look(signal);
      await haproxy.stop();
      if (way === 'TCP') setImmediate(() => (started = haproxy.restart()));
      await balancer.takeOut(found, signal);
      await started;
      expect(await server1()).toMatchObject({ state: 'drain' });
      await balancer.giveBack(found, signal);
      expect(await server1()).toMatchObject({ state: 'ready', weight: 7 });
    }
  });

  test('a port that nobody listens on is a connection error, which is tried again', async () => {
    const error = await driver({ reach: { address: '127.0.0.1:1' }, timeout: 100 })
      .look(signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'connection', retryable: true });
  });
});

describe('sessions', () => {
  let slow: Server;
  let own: Haproxy;
  let dir: string;
  const answers: (() => void)[] = [];
  beforeAll(async () => {
    slow = createServer((_, response) => answers.push(() => response.end('done')));
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as AddressInfo;
    dir = mkdtempSync(join(tmpdir(), 'rex-haproxy-'));
    const servers = [{ key: 's', address: '127.0.0.1', port, words: 'weight 3' }];
    own = await startHaproxy({ dir, address: '127.0.0.1', sites: [{ name: 'slow', servers }] });
  });
  afterAll(async () => {
    await own.stop();
    slow.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const balancer = (settle: number): HaproxyBalancer =>
    driver({ backend: 'slow', settle, reach: { address: own.statsAddress } }, { host: '127.0.0.1' });

  /** A request that the server holds until `answers` is called. */
  function beginRequest(): Promise<string> {
    const { hostname, port } = new URL(own.url);
    const link = connect(Number(port), hostname);
    link.write('GET / HTTP/1.0\r\n\r\n');
    return text(link);
  }

  test('a drained server is left alone until its last session has ended', async () => {
    const driverOfSlow = balancer(10_000);
    const found = await driverOfSlow.look(signal);
    // No check: nothing is known about being up.
    expect(found).toEqual({ in: true, exact: 'ready weight=3', weight: 3 });
    const ended = beginRequest();
    await expect.poll(() => answers.length).toBe(1);
    let out = false;
    const taking = driverOfSlow.takeOut(found, signal).then((result) => {
      out = true;
      return result;
    });
    await expect.poll(async () => (await driverOfSlow.look(signal)).in).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(out).toBe(false);
    answers.splice(0).forEach((answer) => {
      answer();
    });
    expect(await taking).toEqual({ settled: true });
    expect(await ended).toContain('done');
    await driverOfSlow.giveBack(found, signal);
    expect(await driverOfSlow.look(signal)).toEqual(found);
  });

  test('but no longer than `settle`', async () => {
    const driverOfSlow = balancer(150);
    const found = await driverOfSlow.look(signal);
    const ended = beginRequest();
    await expect.poll(() => answers.length).toBe(1);
    expect(await driverOfSlow.takeOut(found, signal)).toEqual({ settled: false });
    answers.splice(0).forEach((answer) => {
      answer();
    });
    await ended;
    await driverOfSlow.giveBack(found, signal);
  });
});

describe('the runtime socket is reached with what the host has', () => {
  const need = ['sh', 'id', 'grep'];
  const send = async (tools: Record<string, string>) => {
    const bin = mkdtempSync(join(tmpdir(), 'rex-bin-'));
    try {
      for (const name of need) symlinkSync(findProgram(name), join(bin, name));
      for (const [name, file] of Object.entries(tools)) symlinkSync(file, join(bin, name));
      const script = scripts.haproxySend.text;
      const args = ['-c', script, 'sh', haproxy.socket, 'show backend', '5'];
      return await runCommand('/bin/sh', args, { env: { PATH: bin } });
    } finally {
      rmSync(bin, { recursive: true, force: true });
    }
  };
  /** python3 may be a wrapper that needs a whole PATH, so the system's own is taken. */
  const places: Record<string, string[]> = {
    socat: ['/usr/bin/socat'],
    nc: ['/bin/nc.openbsd', '/usr/bin/nc.openbsd'],
    python3: ['/usr/bin/python3', '/usr/local/bin/python3'],
    perl: ['/usr/bin/perl'],
  };

  for (const [tool, files] of Object.entries(places)) {
    // A host has one or the other; what this one has is tried.
    const file = files.find((each) => existsSync(each));
    if (file === undefined) continue;
    test(`${tool}`, async () => {
      expect(await send({ [tool]: file })).toMatchObject({ code: 0, stdout: '# name\nserver\n\n', stderr: '' });
    });
  }

  test('without any of them the error names them', async () => {
    const answer = await send({});
    expect(answer).toMatchObject({ code: 92, stderr: expect.stringMatching(/socat, nc .*, python3 and perl/) });
  });
});
