import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { IdleConnections } from './idle-connections.js';
import { asJumpFailure } from './jump-failure.js';
import { connect } from './ssh2-transport.js';
import type { JumpTransport, RemoteScript, RunOptions, RunResult, SshSettings, Transport } from './transport.js';

/** Opens a transport; `connect` of ssh2-transport.ts unless a simulation stands in for it. */
export type Connect = (
  settings: SshSettings,
  options: { signal: AbortSignal; jump?: JumpTransport },
) => Promise<JumpTransport>;

interface Entry {
  readonly attempt: Promise<JumpTransport>;
  /** The same as this deployment has it. */
  readonly lent: Promise<Transport>;
  readonly settings: SshSettings;
  readonly role: Role;
  /** How many hosts lie between. */
  readonly hops: number;
  /** Set once the attempt has succeeded. */
  transport: JumpTransport | undefined;
}

/** A connection as one deployment has it: of no use to it any more when it rests, or others have it. */
class Lent implements Transport {
  readonly #inner: Transport;
  readonly #end: AbortSignal;

  constructor(inner: Transport, end: AbortSignal) {
    this.#inner = inner;
    this.#end = end;
  }

  get host(): string {
    return this.#inner.host;
  }

  get alive(): boolean {
    return this.#inner.alive;
  }

  async run(script: RemoteScript, args: readonly string[], options?: RunOptions): Promise<RunResult> {
    this.#end.throwIfAborted();
    return this.#inner.run(script, args, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * The connections of one deployment: at most one for each host, port, user and way to it, opened when first asked for.
 * All that go through the same jump host share one connection to it.
 */
export class Connections implements AsyncDisposable {
  readonly #connect: Connect;
  readonly #open = new Map<string, Entry>();
  readonly #end = new AbortController();
  readonly #idle: IdleConnections | undefined;

  /** @param idle where connections come from and go to that others have done with; absent: each is opened, and closed */
  constructor(open: Connect = connect, idle?: IdleConnections) {
    this.#connect = open;
    this.#idle = idle;
  }

  /**
   * The connection to a host; opened when there is none or it died. Callers at the same time share one attempt, and
   * one that fails is forgotten, so that the next call tries again.
   *
   * @param options.signal ends the waiting of this caller, not the attempt others wait for
   * @throws as `connect`; the signal's reason when aborted; RexError after `closeAll`
   */
  async get(settings: SshSettings, options: { signal?: AbortSignal } = {}): Promise<Transport> {
    this.#end.signal.throwIfAborted();
    options.signal?.throwIfAborted();
    return abortable(this.#shared('target', settings).lent, options.signal);
  }

  /**
   * As `get`, for a host that others are reached through: errors say that it is one.
   *
   * @throws as `get`
   */
  async getJump(settings: SshSettings, options: { signal?: AbortSignal } = {}): Promise<JumpTransport> {
    this.#end.signal.throwIfAborted();
    options.signal?.throwIfAborted();
    return abortable(this.#shared('jump', settings).attempt, options.signal);
  }

  /**
   * Closes all connections, but those kept for others, and gives up attempts under way; the object cannot be used again.
   * @param options.keep whether others may have what is still good; default yes
   */
  async closeAll({ keep = true }: { keep?: boolean } = {}): Promise<void> {
    this.#end.abort(new RexError({ what: 'the connections of this deployment are closed' }));
    await Promise.allSettled([...this.#open.values()].map((entry) => entry.attempt));
    const entries = [...this.#open.values()];
    this.#open.clear();
    // The farthest first: what ends a command over there still has to get through.
    for (let hops = Math.max(0, ...entries.map((entry) => entry.hops)); hops >= 0; hops -= 1) {
      await Promise.all(entries.filter((entry) => entry.hops === hops).map((entry) => this.#part(entry, keep)));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }

  async #part({ settings, role, transport }: Entry, keep: boolean): Promise<void> {
    if (transport === undefined || (keep && role === 'target' && this.#idle?.keep(settings, transport) === true))
      return;
    await transport.close();
  }

  #shared(role: Role, settings: SshSettings): Entry {
    const way = wayTo(settings);
    const key = JSON.stringify([role, ...way]);
    const entry = this.#open.get(key);
    if (entry !== undefined && entry.transport?.alive !== false) return entry;
    return this.#start(key, { settings, role, hops: way.length - 1 }, this.#attempt(role, settings));
  }

  async #attempt(role: Role, settings: SshSettings): Promise<JumpTransport> {
    const { signal } = this.#end;
    if (this.#idle !== undefined && role === 'target') {
      const rested = await this.#idle.take(settings);
      if (rested !== undefined) return rested;
      signal.throwIfAborted();
    }
    const jump = settings.via === undefined ? undefined : await this.#shared('jump', settings.via).attempt;
    try {
      return await this.#connect(settings, jump === undefined ? { signal } : { signal, jump });
    } catch (error) {
      throw role === 'jump' ? asJumpFailure(error) : error;
    }
  }

  #start(key: string, about: Pick<Entry, 'settings' | 'role' | 'hops'>, attempt: Promise<JumpTransport>): Entry {
    const lent = attempt.then((transport) => new Lent(transport, this.#end.signal));
    // A failure is told to those who wait for it.
    lent.catch(() => undefined);
    const entry: Entry = { ...about, attempt, lent, transport: undefined };
    this.#open.set(key, entry);
    entry.attempt.then(
      (transport) => {
        entry.transport = transport;
      },
      () => {
        if (this.#open.get(key) === entry) this.#open.delete(key);
      },
    );
    return entry;
  }
}

/** What a connection is for; a host that is both gets one for each, so that errors tell which failed. */
type Role = 'target' | 'jump';

/** What tells one connection from another: the host itself, then those on the way to it. */
function wayTo({ host, port, user, sudo, via }: SshSettings): unknown[] {
  return [[host, port, user, sudo === true], ...(via === undefined ? [] : wayTo(via))];
}

/** Waits for something shared; the signal ends the waiting alone. */
function abortable<T>(something: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return something;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    something.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
