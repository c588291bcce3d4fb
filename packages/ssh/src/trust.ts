import { appendFile, chmod, mkdir, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { address } from './address.js';
import { KEY_FAMILIES, offerOnly } from './algorithms.js';
import { dial } from './dial.js';
import { type HostKey, keyType } from './host-key.js';
import { readKnownHosts, refusal } from './host-verifier.js';
import { checkHostKey } from './known-hosts.js';
import { withKey, withoutKeys } from './known-hosts-edit.js';
import type { JumpTransport } from './transport.js';

/** For one handshake; as the default of `connect`. */
const TIMEOUT_MS = 10_000;

export interface FetchOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The host through which it is reached. */
  readonly jump?: JumpTransport | undefined;
}

/**
 * Asks a host for its keys, one connection for each of ed25519, ECDSA and RSA, without logging in. The handshake is
 * finished each time, so the host has proved that it holds the key.
 *
 * @returns at least one key, in the order in which they are preferred
 * @throws ConnectionError when the host cannot be reached or offers none of the three
 */
export async function fetchHostKeys(host: string, port: number, options: FetchOptions = {}): Promise<HostKey[]> {
  const keys: HostKey[] = [];
  // One after the other: hosts that count new connections in a short time would lock us out.
  for (const types of KEY_FAMILIES) {
    const key = await fetchHostKey(host, port, types, options);
    if (key !== undefined) keys.push(key);
  }
  if (keys.length > 0) return keys;
  throw new ConnectionError({
    host,
    where: address(host, port),
    what: 'the host offers no ed25519, ECDSA or RSA key',
    whatToDo: 'check HostKey in its sshd_config; make a key with `ssh-keygen -A`',
  });
}

async function fetchHostKey(
  host: string,
  port: number,
  types: readonly string[],
  options: FetchOptions,
): Promise<HostKey | undefined> {
  let blob: Buffer | undefined;
  const judge = (keyBlob: Buffer) => {
    blob = keyBlob;
    return undefined;
  };
  try {
    const plan = {
      host,
      port,
      user: 'rex',
      algorithms: offerOnly(types),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      keepaliveMs: 0,
      judge,
      jump: options.jump,
      signal: options.signal,
    };
    await dial(plan, ({ socket }) => socket.destroy());
  } catch (error) {
    if (isNoSuchKey(error)) return undefined;
    throw error;
  }
  const type = blob === undefined ? undefined : keyType(blob);
  return blob === undefined || type === undefined ? undefined : { type, blob };
}

/** Wording of ssh2 1.17 (lib/protocol/kex.js), the only mark it gives; a test against a real sshd keeps it true. */
function isNoSuchKey(error: unknown): boolean {
  const cause = error instanceof ConnectionError ? error.cause : undefined;
  return cause instanceof Error && cause.message === 'Handshake failed: no matching host key format';
}

/** What `trustHost` did with each key. */
export interface TrustResult {
  readonly added: readonly HostKey[];
  readonly alreadyTrusted: readonly HostKey[];
  /** How many former keys were taken out. */
  readonly replaced: number;
}

/**
 * Writes keys of a host into a known_hosts file, which is created (0600, with its directories) when missing. A key
 * that is trusted already is not written again.
 *
 * @param options.hash write the name hashed, as `ssh-keygen -H`
 * @param options.replace take out other keys of the same type first; without it a changed key is refused
 * @throws HostKeyError a key has changed and `replace` is not set, or it is revoked
 */
export async function trustHost(
  knownHostsPath: string,
  host: string,
  port: number,
  keys: readonly HostKey[],
  options: { hash?: boolean; replace?: boolean } = {},
): Promise<TrustResult> {
  const former = await readKnownHosts(knownHostsPath, host);
  let text = former;
  const added: HostKey[] = [];
  const alreadyTrusted: HostKey[] = [];
  let replaced = 0;
  for (const key of keys) {
    const verdict = checkHostKey(text, host, port, key.blob);
    if (verdict.verdict === 'trusted') {
      alreadyTrusted.push(key);
      continue;
    }
    if (verdict.verdict === 'revoked' || (verdict.verdict === 'changed' && options.replace !== true)) {
      throw refusal(verdict, host, port, key.blob);
    }
    if (verdict.verdict === 'changed') {
      text = withoutKeys(text, host, port, key.type);
      replaced += verdict.expected.length;
    }
    added.push(key);
    text = withKey(text, host, port, key, options.hash === true);
  }
  if (text !== former) await store(knownHostsPath, former, text);
  return { added, alreadyTrusted, replaced };
}

async function store(path: string, former: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Appending keeps what somebody else appends at the same time; only taking lines out needs a new file.
  if (text.startsWith(former)) {
    await appendFile(path, text.slice(former.length), { mode: 0o600 });
    return;
  }
  const target = await realpath(path);
  const draft = `${target}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  await chmod(draft, (await stat(target)).mode & 0o777);
  await rename(draft, target);
}
