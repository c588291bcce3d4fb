import { AuthError } from '@rexdeploy/shared/errors/host-errors';
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import { address } from './address.js';
import { fingerprint } from './host-key.js';
import { loadPrivateKey } from './private-key.js';
import type { SshSettings } from './transport.js';

/** One way to log in. */
interface Way {
  /** For messages; never a secret. */
  readonly label: string;
  /** What the host calls it (RFC 4252). */
  readonly wireName: string;
  readonly method: AnyAuthMethod;
}

/** Offers the configured ways to log in, one after the other, and remembers what came of them. */
export class Login {
  /** True once nothing is left to try. */
  exhausted = false;
  readonly #settings: SshSettings;
  readonly #ways: Way[];
  readonly #tried: string[] = [];
  readonly #notes: string[] = [];
  #offered: readonly string[] = [];

  private constructor(settings: SshSettings, ways: Way[]) {
    this.#settings = settings;
    this.#ways = ways;
  }

  /** @throws AuthError when a key cannot be used or no way to log in is configured */
  static async prepare(settings: SshSettings): Promise<Login> {
    const ways = waysToLogIn(settings, await loadPrivateKey(settings));
    if (ways.length > 0) return new Login(settings, ways);
    throw new AuthError({
      host: settings.host,
      what: 'no way to log in is configured',
      whatToDo: 'set ssh.private_key, ssh.agent or ssh.password',
    });
  }

  /**
   * The next method, or false when none is left.
   *
   * @param methodsLeft what the host would still accept; null before the first attempt
   */
  next(methodsLeft: readonly string[] | null): AnyAuthMethod | false {
    if (methodsLeft !== null) this.#offered = methodsLeft;
    for (let way = this.#ways.shift(); way !== undefined; way = this.#ways.shift()) {
      if (methodsLeft !== null && !methodsLeft.includes(way.wireName)) continue;
      this.#tried.push(way.label);
      return way.method;
    }
    this.exhausted = true;
    return false;
  }

  /** Keeps a fault of one way that does not end the attempt, e.g. an agent that does not answer. */
  note(error: Error): void {
    this.#notes.push(error.message);
  }

  /** The error that names what was tried. */
  refused(cause: unknown): AuthError {
    const { host, port, user } = this.#settings;
    const offered = this.#offered.length === 0 ? '' : `; the host accepts ${this.#offered.join(', ')}`;
    const notes = this.#notes.length === 0 ? '' : ` (${this.#notes.join('; ')})`;
    const tried = this.#tried.length === 0 ? 'none that the host accepts' : this.#tried.join(', ');
    return new AuthError({
      host,
      where: address(host, port),
      what: `user ${user} was not let in, tried: ${tried}${notes}${offered}`,
      whatToDo: "check the user, and that the public key stands in that user's ~/.ssh/authorized_keys on the host",
      cause,
    });
  }
}

function waysToLogIn(settings: SshSettings, key: ParsedKey | undefined): Way[] {
  const { user: username, agent, password, privateKeyPath } = settings;
  const ways: Way[] = [];
  if (key !== undefined) {
    const label = `key ${privateKeyPath} ${fingerprint(key.getPublicSSH())}`;
    ways.push({ label, wireName: 'publickey', method: { type: 'publickey', username, key } });
  }
  if (agent !== undefined && agent !== '') {
    ways.push({ label: `agent ${agent}`, wireName: 'publickey', method: { type: 'agent', username, agent } });
  }
  if (password !== undefined && password !== '') {
    ways.push({ label: 'password', wireName: 'password', method: { type: 'password', username, password } });
    ways.push({
      label: 'keyboard-interactive',
      wireName: 'keyboard-interactive',
      method: {
        type: 'keyboard-interactive',
        username,
        // Hosts with PAM ask for the password this way; a question that shows its answer is not for it.
        prompt: (_name, _instructions, _lang, prompts, finish) =>
          finish(prompts.map((prompt) => (prompt.echo === true ? '' : password))),
      },
    });
  }
  return ways;
}
