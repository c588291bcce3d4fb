import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, runCommand } from '@rexdeploy/sandbox/command';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { at } from './support/client.js';
import { test } from './support/stand.js';

const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));
const DEPLOY = { k: 'server', senv: 'uat' };
const BOTH_WAYS = { sudo: true, jump: true } as const;

/** How often the jump host was logged in to. */
const logins = (fleet: Fleet): number =>
  readFileSync(fleet.jump?.sshd.logFile ?? '', 'utf8').match(/Accepted publickey/g)?.length ?? 0;

test('a roll-out through a jump host, as a user who becomes root with sudo, ends as any other', async ({ start }) => {
  const { client, fleet } = await start({ fleet: BOTH_WAYS });
  const { body } = await client.deploy(DEPLOY);
  expect(body.job?.state).toBe('succeeded');
  for (const [index, instance] of fleet.instances.entries()) {
    const release = at(body, 'data', 'data', String(index), 'data', '0', 'deloy_prodir_after');
    expect(await instance.observe()).toMatchObject({ version: 'v2', link: release });
    // Made by root, in a folder that the user who logged in may not write to.
    expect((await stat(String(release))).uid).toBe(process.getuid?.());
  }
  expect(fleet.nginx?.upstream().map((line) => line.down)).toEqual([false, false]);
  // Instances, balancer and source environment are all reached over one connection to it.
  expect(logins(fleet)).toBe(1);
});

test('an instance that does not start is brought back that way, too', async ({ start }) => {
  const { client, fleet } = await start({ fleet: BOTH_WAYS });
  setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
  const { body } = await client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain('server1 was brought back to its former release and weight');
  for (const instance of fleet.instances) {
    expect(await instance.observe()).toMatchObject({
      version: 'v1',
      link: `${instance.programDir}_20180521_043510`,
    });
  }
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
});

test('a jump host that goes away for a moment is gone through again', async ({ start }) => {
  const { client, fleet } = await start({ fleet: BOTH_WAYS });
  const accepted = await client.rex({ action: 'deploy', ...DEPLOY });
  const id = accepted.body.job?.id ?? '';
  const cuts = new Set<string>();
  for await (const { type, data } of client.events(id)) {
    const step = String(data.step);
    if (type === 'step-started' && ['stage', 'switch'].includes(step) && !cuts.has(step)) {
      cuts.add(step);
      await fleet.jump?.sshd.dropSessions();
    }
  }
  expect([...cuts]).toEqual(['stage', 'switch']);
  const { body } = await client.get(`/jobs/${id}`);
  expect(body).toMatchObject({ code: '0', job: { state: 'succeeded' } });
  for (const instance of fleet.instances) expect((await instance.observe()).version).toBe('v2');
});

test('a jump host that is down is named, and nothing is touched', async ({ start }) => {
  const { client, fleet } = await start({
    fleet: BOTH_WAYS,
    config: { environments: { prod: { names: { server: { retries: 0 } } } } },
  });
  await fleet.jump?.sshd.stop();
  const { body } = await client.deploy(DEPLOY);
  expect(body.job?.state).toBe('failed');
  expect(body.msg).toContain(`jump host ${fleet.jump?.address}:${fleet.jump?.sshPort}: connection refused`);
  for (const instance of fleet.instances) expect((await instance.observe()).version).toBe('v1');
});

test('rex hosts trust asks a host behind a jump host through it, once the jump host itself is trusted', async () => {
  const fleet = await startFleet({ jump: true, app: false, balancer: 'none', instances: 1 });
  try {
    const { jump } = fleet;
    const host = fleet.hostOf('server1');
    if (jump === undefined) throw new Error('the fleet has no jump host');
    const files = { host: join(fleet.dir, 'new/host'), jump: join(fleet.dir, 'new/jump') };
    const ssh = { known_hosts: files.host, jump: { known_hosts: files.jump } };
    const config = fleet.writeConfig({ environments: { prod: { ssh } } });
    const trust = (address: string, port: number): Promise<CommandResult> =>
      runCommand(process.execPath, [REX, 'hosts', 'trust', `${address}:${port}`, '--yes'], {
        env: { ...process.env, REX_CONFIG: config },
      });

    const refused = await trust(host.address, host.sshPort);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`jump host ${jump.address}:${jump.sshPort}: the host key of`);
    expect(refused.stderr).toContain(`rex hosts trust ${jump.address}:${jump.sshPort}`);

    expect(await trust(jump.address, jump.sshPort)).toMatchObject({ code: 0 });
    const trusted = await trust(host.address, host.sshPort);
    expect(trusted).toMatchObject({ code: 0 });
    expect(trusted.stderr).toContain(`is reached through jump host ${jump.address}:${jump.sshPort}`);
    const known = (address: string, port: number, keys: readonly string[]) =>
      keys.map((key) => `[${address}]:${port} ${key}\n`).join('');
    expect(readFileSync(files.jump, 'utf8')).toBe(known(jump.address, jump.sshPort, jump.sshd.hostKeys));
    expect(readFileSync(files.host, 'utf8')).toBe(known(host.address, host.sshPort, host.sshd.hostKeys));
  } finally {
    await fleet.close();
  }
});
