import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sshd, startSshd } from '@rexdeploy/sandbox/sshd';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';

const cli = rexInFolder();
const { rex, writeConfig } = cli;

describe('rex hosts trust', () => {
  let sshd: Sshd;
  let hostDir: string;
  beforeAll(async () => {
    hostDir = await mkdtemp(join(tmpdir(), 'rex-cli-host-'));
    const binDir = join(hostDir, 'bin');
    sshd = await startSshd({ dir: hostDir, binDir, address: '127.0.0.1', authorizedKeys: [], rsa: true });
  });
  afterAll(async () => {
    await sshd.stop();
    await rm(hostDir, { recursive: true, force: true });
  });

  const knownHosts = (): Promise<string> => readFile(join(cli.dir, 'keys/known_hosts'), 'utf8');
  const place = (): string => `[127.0.0.1]:${sshd.port}`;
  const prepare = (): Promise<void> => writeConfig({ host: '127.0.0.1', port: sshd.port, known: 'keys/known_hosts' });

  test('shows the fingerprints and adds the keys to the file that the config names for the host', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`, '--yes']);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(/^ {2}ssh-ed25519 SHA256:\S{43}$/m);
    const lines = (await knownHosts()).trim().split('\n').sort();
    expect(lines).toEqual(sshd.hostKeys.map((key) => `${place()} ${key}`).sort());
    const again = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('is trusted already');
    expect((await knownHosts()).trim().split('\n')).toHaveLength(lines.length);
  });

  test('writes nothing without consent', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('compare the fingerprints, then run again with --yes');
    await expect(knownHosts()).rejects.toThrow('ENOENT');
  });

  test('a key that has changed is refused until it is replaced on purpose', async () => {
    await prepare();
    const [key = ''] = sshd.hostKeys;
    const other = 'AAAAC3NzaC1lZDI1NTE5AAAAIFnZ6P9Yl3q7b0i8Qk0m1r2s3t4u5v6w7x8y9zABCDEF';
    const file = join(cli.dir, 'old');
    await writeFile(file, `${place()} ssh-ed25519 ${other}\n`);
    const words = ['hosts', 'trust', `127.0.0.1:${sshd.port}`, '--yes', '--known-hosts', file];
    const refused = await rex(words);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`the host key of 127.0.0.1:${sshd.port} has changed`);
    expect(await readFile(file, 'utf8')).toBe(`${place()} ssh-ed25519 ${other}\n`);
    expect(await rex([...words, '--replace'])).toMatchObject({ code: 0 });
    const text = await readFile(file, 'utf8');
    expect(text).toContain(key);
    expect(text).not.toContain(other);
  });

  test('a host that the config does not know is told, with what to do', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', 'elsewhere', '--yes']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('no instance and no balancer is on elsewhere');
    const ports = await rex(['hosts', 'trust', '127.0.0.1:1', '--yes']);
    expect(ports.stderr).toContain(`the config reaches it on port ${sshd.port}, 22`);
  });

  test('a host that does not answer ends it with 4', async () => {
    const result = await rex(['hosts', 'trust', '127.0.0.1:1', '--yes', '--known-hosts', 'file']);
    expect(result).toMatchObject({ code: 4, stdout: '' });
  });
});
