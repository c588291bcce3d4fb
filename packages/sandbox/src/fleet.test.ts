import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from './command.js';
import { type Fleet, startFleet } from './fleet.js';
import { httpGet } from './http-get.js';
import { findMarked } from './mark.js';

/** What `pgrep -f` counts, as an operator would count it. */
async function countProcesses(pattern: string): Promise<number> {
  return Number((await runCommand('pgrep', ['-f', '-c', pattern])).stdout.trim());
}

describe('a fleet of two instances', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ instances: 2 });
  });
  afterAll(() => fleet.close());

  test('lets the operator in on every host with strict host key checking, and only with the right key', async () => {
    for (const host of [...fleet.hosts, fleet.uat, ...(fleet.lb ? [fleet.lb] : [])]) {
      const answer = await host.ssh('echo "$SSH_CONNECTION"');
      expect(answer).toMatchObject({ code: 0, stderr: '' });
      expect(answer.stdout).toContain(`${host.address} ${host.sshPort}`);
    }
    const refused = await runCommand('ssh', [
      ...['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'IdentitiesOnly=yes'],
      ...['-o', 'UserKnownHostsFile=/dev/null', '-i', fleet.hosts[0]?.privateKey ?? ''],
      ...['-p', String(fleet.uat.sshPort), fleet.uat.address, 'true'],
    ]);
    expect(refused.code).toBe(255);
    expect(refused.stderr).toContain('Permission denied');
  });

  test('answers the first version directly and through nginx, from the release behind the link', async () => {
    for (const instance of fleet.instances) {
      const seen = await instance.observe();
      expect(seen).toMatchObject({ version: 'v1', health: { status: 'ok', instance: instance.key } });
      expect(seen.link).toBe(`${instance.programDir}_20180521_043510`);
      expect(seen.health?.release).toBe(seen.link);
    }
    const answers = await Promise.all(Array.from({ length: 6 }, () => httpGet(`${fleet.nginx?.url}/`)));
    const bodies = new Set(answers.map(({ status, body }) => `${status} ${body.trim()}`));
    expect(bodies).toEqual(new Set(['200 version v1 instance server1', '200 version v1 instance server2']));
  });

  test('runs exactly two processes per instance, seen the same from outside and over SSH', async () => {
    for (const instance of fleet.instances) {
      expect(await countProcesses(instance.process)).toBe(2);
      expect(instance.pids()).toHaveLength(2);
    }
  });

  test('stops and starts an instance over SSH, with honest exit codes and the command returning at once', async () => {
    const instance = fleet.instance('server1');
    const host = fleet.hostOf('server1');
    expect((await host.ssh(`${instance.service} status`)).code).toBe(0);
    expect((await host.ssh(`${instance.service} stop`)).code).toBe(0);
    expect(instance.pids()).toEqual([]);
    expect((await host.ssh(`${instance.service} status`)).code).toBe(3);
    expect((await host.ssh(`${instance.service} stop`)).code).toBe(0);
    expect(await host.ssh(`${instance.service} start`)).toMatchObject({ code: 0, stderr: '' });
    expect(instance.pids()).toHaveLength(2);
    await expect.poll(() => instance.health()).toMatchObject({ version: 'v1' });
  });

  test('keeps the app running after its SSH session and the sshd are gone', async () => {
    const instance = fleet.instance('server2');
    const host = fleet.hostOf('server2');
    await host.ssh(`${instance.service} restart`);
    await host.sshd.kill();
    expect((await host.ssh('true')).code).toBe(255);
    expect(instance.pids()).toHaveLength(2);
    await host.sshd.restart();
    expect((await host.ssh('true')).code).toBe(0);
  });

  test('lists one session per open connection and can cut them', async () => {
    const host = fleet.hostOf('server1');
    const hanging = host.ssh('echo up; exec sleep 600');
    await expect.poll(() => host.sshd.sessions()).toHaveLength(1);
    await host.sshd.dropSessions();
    expect((await hanging).code).toBe(255);
    await expect.poll(() => host.sshd.sessions()).toEqual([]);
  });

  test('answers nothing while frozen and goes on when thawed', async () => {
    const host = fleet.hostOf('server1');
    host.sshd.freeze();
    const waiting = host.ssh('echo late');
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'nothing yet'))]);
    expect(first).toBe('nothing yet');
    host.sshd.thaw();
    expect((await waiting).stdout).toBe('late\n');
  });

  test('lets plain nginx commands over SSH reach its own nginx, and a reload takes an instance out', async () => {
    const { lb, nginx } = fleet;
    if (lb === undefined || nginx === undefined) throw new Error('the fleet has no balancer');
    expect((await lb.ssh('nginx -t')).code).toBe(0);
    expect((await lb.ssh('nginx -T')).stdout).toContain('upstream server {');
    expect(nginx.upstream()).toHaveLength(2);
    const [one] = nginx.upstream();
    await lb.ssh(
      `sed -i 's/server ${one?.address}:${one?.port};/server ${one?.address}:${one?.port} down;/' ${nginx.upstreamFile()}`,
    );
    expect((await lb.ssh('nginx -s reload')).code).toBe(0);
    expect(nginx.upstream().map(({ down }) => down)).toEqual([true, false]);
    await expect
      .poll(async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => httpGet(`${nginx.url}/`)));
        return answers.filter(({ body }) => body.includes('server1')).length;
      })
      .toBe(0);
    expect((await nginx.readAccessLog()).at(-1)).toContain(' 200 ');
  });

  test('writes a configuration of the documented shape, with overrides laid over it', () => {
    const config = fleet.config();
    expect(config).toMatchObject({
      env: { key: 'prod' },
      api: { port: 0 },
      environments: {
        prod: {
          allow_senv: ['uat'],
          names: { server: { rollout: ['server1', 'server2'], balancer: { type: 'nginx', settle: '0s' } } },
        },
        uat: { names: { server: { instances: { server1: { host: fleet.uat.address } } } } },
      },
    });
    expect(existsSync(fleet.writeConfig({ worker: { concurrency: 2 } }))).toBe(true);
  });

  test('holds the next version on the uat host', async () => {
    const dirs = fleet.uatDirs.get('server');
    expect((await fleet.uat.ssh(`cat ${dirs?.programDir}/version.txt`)).stdout).toBe('v2\n');
    expect((await fleet.uat.ssh(`${dirs?.programDir}/report`)).stdout).toBe('v2\n');
  });
});

describe('fleets side by side', () => {
  test('do not disturb each other, and leave neither process nor folder behind', async () => {
    const [one, other] = await Promise.all([
      startFleet({ instances: ['web-a', 'web-b'], batches: ['web-a web-b'], firstDeployment: 'plain' }),
      startFleet({ instances: 1, names: 3, balancer: 'none', base: '/dev/shm' }),
    ]);
    expect(await one.instance('web-a').observe()).toMatchObject({ link: undefined, version: 'v1' });
    expect(other.instances.map(({ key }) => key)).toEqual(['server1', 'app2-1', 'app3-1']);
    expect(other.nginx).toBeUndefined();

    // A command that nobody waits for any more ends with the fleet as well.
    await one.hostOf('web-a').ssh('setsid sleep 600 >/dev/null 2>&1 </dev/null &');
    expect(findMarked(one.dir).length).toBeGreaterThan(4);
    const marks = one.instances.map(({ process: mark }) => mark);
    await one.close();
    expect(existsSync(one.dir)).toBe(false);
    expect(findMarked(one.dir)).toEqual([]);
    for (const mark of marks) expect(await countProcesses(mark)).toBe(0);

    expect(await other.instance('app3-1').observe()).toMatchObject({ version: 'v1' });
    await other.close();
    expect(existsSync(other.dir)).toBe(false);
    expect((await runCommand('pgrep', ['-f', '-c', `${other.dir}|${one.dir}`])).stdout.trim()).toBe('0');
  });

  test('with nothing deployed have hosts but no app', async () => {
    const fleet = await startFleet({ instances: 1, balancer: 'none', firstDeployment: 'nothing' });
    try {
      expect(existsSync(fleet.instance('server1').programDir)).toBe(false);
      expect(fleet.instance('server1').pids()).toEqual([]);
    } finally {
      await fleet.close();
    }
  });

  test('of a process that exits without closing are cleaned up while it exits', async () => {
    const script = `
      const { startFleet } = await import('./packages/sandbox/dist/fleet.js');
      const fleet = await startFleet({ instances: 1 });
      console.log(fleet.dir);
      process.exit(0);`;
    const { stdout, code } = await runCommand(process.execPath, ['--input-type=module', '-e', script]);
    expect(code).toBe(0);
    const dir = stdout.trim();
    expect(dir).toMatch(/rex-/);
    expect(existsSync(dir)).toBe(false);
    await expect.poll(() => findMarked(dir)).toEqual([]);
  });
});
