/** SSH keys and the known_hosts file of a fleet, made with ssh-keygen. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { mustRun } from './command.js';

export type KeyType = 'ed25519' | 'rsa';

export interface KeyPair {
  privateKey: string;
  publicKey: string;
  /** `ssh-ed25519 AAAA…`, without the comment. */
  line: string;
}

/** A key without a passphrase in `file` and `file.pub`. */
export async function makeKeyPair(file: string, type: KeyType = 'ed25519'): Promise<KeyPair> {
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  await mustRun('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-C', 'rexdeploy-sandbox', '-f', file]);
  const [kind = '', blob = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  return { privateKey: file, publicKey: `${file}.pub`, line: `${kind} ${blob.trim()}` };
}

export interface KnownHost {
  address: string;
  port: number;
  keyLines: readonly string[];
}

/** Every second host is written hashed, as `HashKnownHosts yes` does, so that both forms are met. */
export async function writeKnownHosts(file: string, hosts: readonly KnownHost[]): Promise<void> {
  const linesOf = (wanted: number): string =>
    hosts
      .filter((_, at) => at % 2 === wanted)
      .flatMap((host) => host.keyLines.map((line) => `[${host.address}]:${host.port} ${line}\n`))
      .join('');
  await writeFile(file, linesOf(1));
  if (hosts.length > 1) {
    await mustRun('ssh-keygen', ['-H', '-f', file]);
    await rm(`${file}.old`, { force: true });
  }
  await writeFile(file, `# hosts of this sandbox\n${linesOf(0)}`, { flag: 'a' });
}
