import { readFile } from 'node:fs/promises';
import { AuthError } from '@rexdeploy/shared/errors/host-errors';
import ssh2, { type ParsedKey } from 'ssh2';
import type { SshSettings } from './transport.js';

/**
 * Reads and unlocks the private key of the settings; undefined when none is configured.
 *
 * @throws AuthError naming the file and what to do: not readable, needs a passphrase, wrong passphrase, not a key
 */
export async function loadPrivateKey(settings: SshSettings): Promise<ParsedKey | undefined> {
  const path = settings.privateKeyPath;
  if (path === undefined) return undefined;
  const fail = (what: string, whatToDo: string, cause?: unknown) =>
    new AuthError({ host: settings.host, what: `the private key ${path} ${what}`, whatToDo, cause });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fail('cannot be read', 'check its path and that this user may read it', error);
  }
  // An empty passphrase is what an unset variable in the config file leaves.
  const passphrase = settings.passphrase === '' ? undefined : settings.passphrase;
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (isParsedKey(key)) {
    if (key.isPrivateKey()) return key;
    throw fail('is a public key', 'name the file without .pub');
  }
  if (!isEncrypted(text)) throw fail('is not a key that can be used', 'make one with `ssh-keygen -t ed25519`', key);
  if (passphrase === undefined) throw fail('needs a passphrase', 'set ssh.passphrase, or load the key in an agent');
  throw fail(
    'cannot be unlocked',
    'check ssh.passphrase; if it is right, store the key in a common format with `ssh-keygen -p -f`',
    key,
  );
}

function isParsedKey(key: unknown): key is ParsedKey {
  return typeof key === 'object' && key !== null && !(key instanceof Error) && 'isPrivateKey' in key;
}

/** OpenSSH's format names its cipher in the body (PROTOCOL.key), PEM and PuTTY's in clear text. */
function isEncrypted(text: string): boolean {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text)?.[1];
  if (body === undefined) return /ENCRYPTED|^Encryption: aes/m.test(text);
  const blob = Buffer.from(body, 'base64');
  const start = 'openssh-key-v1\0'.length;
  if (blob.length < start + 4) return false;
  const length = blob.readUInt32BE(start);
  return blob.toString('latin1', start + 4, start + 4 + length) !== 'none';
}
