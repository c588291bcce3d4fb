import type { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { offer } from './algorithms.js';
import type { Place } from './connection-failure.js';
import { dial } from './dial.js';
import { judgeHostKey, readKnownHosts } from './host-verifier.js';
import { knownKeyTypes } from './known-hosts.js';
import { Link } from './link.js';
import { Login } from './login.js';
import { openTunnel, type TunnelOptions } from './open-tunnel.js';
import { runCommand } from './run-command.js';
import { enableSudo } from './sudo.js';
import type { JumpTransport, RemoteScript, RunOptions, RunResult, SshSettings } from './transport.js';
import type { Tunnel } from './tunnel.js';

/** Enough for a slow name server and a loaded sshd, short enough that a dead host is noticed while one watches. */
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 10_000;

/**
 * Connects to a host, checks its key strictly against known_hosts and logs in; with `sudo`, as far as becoming root.
 *
 * @param options.jump the connection to `settings.via`; whoever opened it closes it, after this one
 * @throws ConnectionError refused, reset, timed out, handshake failed (retryable)
 * @throws HostKeyError the host's key is unknown, changed or revoked
 * @throws AuthError the private key cannot be used, or no way to log in was accepted
 * @throws SudoError sudo is missing or refuses
 * @throws HostError known_hosts cannot be read; the signal's reason when aborted
 */
export async function connect(
  settings: SshSettings,
  options: { signal?: AbortSignal; jump?: JumpTransport } = {},
): Promise<JumpTransport> {
  const { host, port } = settings;
  const { jump, signal } = options;
  // Going around a jump host would reach another machine of that name, or show a log-in to whoever sits there.
  if ((settings.via === undefined) !== (jump === undefined)) throw new TypeError(`${host}: via and jump go together`);
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
      jump,
      signal,
    },
    (dialled) => new Link(dialled, host, port, keepaliveMs, jump),
  );
  if (settings.sudo === true) await becomeRoot(link, settings.user, signal);
  return new Ssh2Transport(link);
}

async function becomeRoot(link: Link, user: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await enableSudo(link, user, signal);
  } catch (error) {
    await link.close();
    signal?.throwIfAborted();
    throw error;
  }
}

class Ssh2Transport implements JumpTransport {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  get host(): string {
    return this.#link.host;
  }

  get port(): number {
    return this.#link.port;
  }

  get alive(): boolean {
    return this.#link.lost === undefined;
  }

  get idle(): boolean {
    return this.#link.idle;
  }

  answers(withinMs: number): Promise<boolean> {
    return this.#link.answers(withinMs);
  }

  run(script: RemoteScript, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runCommand(this.#link, script, args, options);
  }

  openTunnel(to: Place, options: TunnelOptions): Promise<Tunnel> {
    return openTunnel(this.#link, to, options);
  }

  onLost(listener: (error: ConnectionError) => void): () => void {
    return this.#link.onLost(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
