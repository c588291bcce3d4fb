import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectionError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprint, keyType } from './host-key.js';
import { connect } from './ssh2-transport.js';
import { freePort, type KeyAlgorithm, makeKey, startSshd, type TestSshd } from './testing/sshd.js';
import { fetchHostKeys, trustHost } from './trust.js';

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ['rsa', 'ed25519', 'ecdsa'] });
}, 30_000);
afterAll(() => sshd[Symbol.asyncDispose]());

function listed(algorithm: KeyAlgorithm): string | undefined {
  const path = `${sshd.hostKeyPath(algorithm)}.pub`;
  return execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1];
}

async function keyOf(path: string): Promise<{ type: string; blob: Buffer }> {
  const blob = Buffer.from((await readFile(`${path}.pub`, 'utf8')).split(' ')[1] ?? '', 'base64');
  return { type: keyType(blob) ?? '', blob };
}

test('fetches every key the host has, without logging in', async () => {
  const keys = await fetchHostKeys(sshd.host, sshd.port);
  expect(keys.map((key) => key.type)).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']);
  expect(keys.map((key) => fingerprint(key.blob))).toEqual([listed('ed25519'), listed('ecdsa'), listed('rsa')]);
});

test('fetches the one key of a host that has but one', async () => {
  await using single = await startSshd({ hostKeys: ['rsa'] });
  expect((await fetchHostKeys(single.host, single.port)).map((key) => key.type)).toEqual(['ssh-rsa']);
});

test('a host that cannot be reached is a ConnectionError', async () => {
  await expect(fetchHostKeys('127.0.0.1', await freePort())).rejects.toBeInstanceOf(ConnectionError);
});

test.each([false, true])(
  'trusting makes file and folder, once, and lets the connection through (hash: %s)',
  async (hash) => {
    const path = join(sshd.dir, `new_${hash}`, 'deeper', 'known_hosts');
    const keys = await fetchHostKeys(sshd.host, sshd.port);
    expect(await trustHost(path, sshd.host, sshd.port, keys, { hash })).toEqual({
      added: keys,
      alreadyTrusted: [],
      replaced: 0,
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    expect(text.includes('127.0.0.1')).toBe(!hash);
    await (await connect(sshd.settings({ knownHostsPath: path }))).close();
    // OpenSSH reads the same three keys out of it.
    const found = execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${sshd.port}`, '-f', path], { encoding: 'utf8' });
    expect(found.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(3);

    const again = await trustHost(path, sshd.host, sshd.port, keys);
    expect(again).toEqual({ added: [], alreadyTrusted: keys, replaced: 0 });
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);

test('a changed key is refused, and replaced when asked to, leaving the rest as it was', async () => {
  const former = join(sshd.dir, 'former_host');
  await makeKey(former, 'ed25519');
  const old = await readFile(`${former}.pub`, 'utf8');
  const folder = join(sshd.dir, 'linked');
  await mkdir(folder);
  const target = join(folder, 'target');
  const path = join(folder, 'known_hosts');
  await writeFile(target, `# mine\nother ${old}[127.0.0.1]:${sshd.port} ${old}`, { mode: 0o644 });
  await symlink(target, path);
  const keys = [await keyOf(sshd.hostKeyPath('ed25519'))];

  await expect(trustHost(path, sshd.host, sshd.port, keys)).rejects.toBeInstanceOf(HostKeyError);
  expect((await trustHost(path, sshd.host, sshd.port, keys, { replace: true })).replaced).toBe(1);
  const text = await readFile(target, 'utf8');
  expect(text.startsWith(`# mine\nother ${old}`)).toBe(true);
  expect(text.match(/127\.0\.0\.1/g)).toHaveLength(1);
  expect((await stat(target)).mode & 0o777).toBe(0o644);
  await (await connect(sshd.settings({ knownHostsPath: path }))).close();
});

test('a revoked key is never trusted', async () => {
  const key = await keyOf(sshd.hostKeyPath('ed25519'));
  const path = join(sshd.dir, 'revoked');
  await writeFile(path, `@revoked * ${key.type} ${key.blob.toString('base64')}\n`);
  await expect(trustHost(path, sshd.host, sshd.port, [key], { replace: true })).rejects.toThrow(/@revoked/);
});
