import { offer } from './algorithms.js';
import { dial } from './dial.js';
import { judgeHostKey, readKnownHosts } from './host-verifier.js';
import { knownKeyTypes } from './known-hosts.js';
import { Link } from './link.js';
import { Login } from './login.js';
import { runCommand } from './run-command.js';
import type { RemoteScript, RunOptions, RunResult, SshSettings, Transport } from './transport.js';

/** Enough for a slow name server and a loaded sshd, short enough that a dead host is noticed while one watches. */
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 10_000;

/**
 * Connects to a host, checks its key strictly against known_hosts and logs in.
 *
 * @throws ConnectionError refused, reset, timed out, handshake failed (retryable)
 * @throws HostKeyError the host's key is unknown, changed or revoked
 * @throws AuthError the private key cannot be used, or no way to log in was accepted
 * @throws HostError known_hosts cannot be read; the signal's reason when aborted
 */
export async function connect(settings: SshSettings, options: { signal?: AbortSignal } = {}): Promise<Transport> {
  const { host, port } = settings;
  const keepaliveMs = settings.keepaliveMs ?? KEEPALIVE_MS;
  const login = await Login.prepare(settings);
  const knownHosts = await readKnownHosts(settings.knownHostsPath, host);
  const link = await dial(
    {
      host,
      port,
      user: settings.user,
      algorithms: offer(knownKeyTypes(knownHosts, host, port)),
      timeoutMs: settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      keepaliveMs,
      judge: (keyBlob) => judgeHostKey(knownHosts, host, port, keyBlob),
      login,
      signal: options.signal,
    },
    (dialled) => new Link(dialled, host, port, keepaliveMs),
  );
  return new Ssh2Transport(link);
}

class Ssh2Transport implements Transport {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  get host(): string {
    return this.#link.host;
  }

  get alive(): boolean {
    return this.#link.lost === undefined;
  }

  run(script: RemoteScript, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runCommand(this.#link, script, args, options);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
