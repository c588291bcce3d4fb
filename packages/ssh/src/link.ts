import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import type { Client } from 'ssh2';
import { address } from './address.js';
import { connectionClosed, connectionFailure, jumpLost } from './connection-failure.js';
import type { Dialled, Line } from './dial.js';
import { watchSilence } from './keep-alive.js';
import { ShellSlot } from './shell-slot.js';
import { Slots } from './slots.js';
import type { JumpTransport } from './transport.js';

/** How long a closing connection may take to say good-bye, in ms. */
const FAREWELL_MS = 1_000;

/**
 * Commands at the same time on one connection, and beside them reapers of cancelled ones: together sshd's default of
 * MaxSessions, 10 (sshd_config(5)); beyond it the host refuses.
 */
const SESSIONS = 8;
const REAPERS = 2;
/** How long cancelled commands may take to be ended before the connection is closed, in ms. */
const CLEAN_UP_MS = 5_000;

/** A logged-in connection and the news of its end. */
export class Link {
  readonly client: Client;
  readonly host: string;
  readonly port: number;
  readonly sessions = new Slots(SESSIONS);
  readonly reapers = new Slots(REAPERS);
  readonly shell = new ShellSlot(this);
  /** Commands are run as root; set once sudo was seen to let us. */
  sudo = false;
  readonly #socket: Line;
  readonly #closed: Promise<void>;
  readonly #listeners = new Set<(error: ConnectionError) => void>();
  readonly #background = new Set<Promise<void>>();
  #lost: ConnectionError | undefined;

  constructor({ client, socket }: Dialled, host: string, port: number, keepaliveMs: number, jump?: JumpTransport) {
    this.client = client;
    this.host = host;
    this.port = port;
    this.#socket = socket;
    const stopWatch = watchSilence(socket, keepaliveMs, () => this.#silent(keepaliveMs));
    const forgetJump = jump?.onLost((error) => {
      this.#lose(jumpLost(this, jump, error));
      socket.destroy();
    });
    this.#closed = new Promise((resolve) => {
      client.once('close', () => {
        stopWatch();
        forgetJump?.();
        this.#lose(connectionClosed(this, 'connected'));
        resolve();
      });
    });
    client.on('error', (error) => {
      this.#lose(connectionFailure(this, 'connected', error));
      socket.destroy();
    });
  }

  /** Why the connection is gone; undefined while it lives. */
  get lost(): ConnectionError | undefined {
    return this.#lost;
  }

  /** Calls back at the end of the connection, at once when it is already gone; the result withdraws the callback. */
  onLost(listener: (error: ConnectionError) => void): () => void {
    if (this.#lost === undefined) this.#listeners.add(listener);
    else listener(this.#lost);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once the host has answered a request, hence after everything it had sent before. */
  roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        // A forwarding that was never asked for: every server must answer, with a refusal (RFC 4254 §4), and does
        // nothing else.
        this.client.unforwardIn('localhost', 0, () => resolve());
      } catch (error) {
        reject(error);
      }
    });
  }

  /** Is no command under way, nor anything being tidied up? */
  get idle(): boolean {
    const quiet = this.sessions.taken === (this.shell.isOpen ? 1 : 0) && !this.shell.isLent;
    return this.#lost === undefined && quiet && this.reapers.taken === 0 && this.#background.size === 0;
  }

  /** Does the host answer within so many ms? */
  async answers(withinMs: number): Promise<boolean> {
    const over = new AbortController();
    const overdue = delay(withinMs, false, { signal: over.signal }).catch(() => false);
    const lost = new Promise<boolean>((resolve) => {
      const forget = this.onLost(() => resolve(false));
      over.signal.addEventListener('abort', forget);
    });
    const answered = this.roundTrip().then(
      () => true,
      () => false,
    );
    const answer = await Promise.race([answered, overdue, lost]);
    over.abort();
    return answer;
  }

  /** Work nobody waits for, except that the connection is not closed before it is done. It must not fail. */
  background(work: Promise<void>): void {
    this.#background.add(work);
    work.finally(() => this.#background.delete(work));
  }

  /** Fails what still runs, ends it on the host as far as that goes, and waits until the connection is closed. */
  async close(): Promise<void> {
    this.#lose(
      new ConnectionError({ host: this.host, where: address(this.host, this.port), what: 'the connection was closed' }),
    );
    // Those who were just told begin their cleaning up within this turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const over = new AbortController();
    const overdue = delay(CLEAN_UP_MS, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#background), overdue]);
    over.abort();
    this.client.end();
    // Destroying a socket or tunnel always ends in 'close', so a silent host cannot hold this up.
    const timer = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  #silent(keepaliveMs: number): void {
    this.#lose(
      new ConnectionError({
        host: this.host,
        where: address(this.host, this.port),
        what: `the host has been silent for ${(keepaliveMs * 4) / 1000} s, keep-alive requests went unanswered`,
        whatToDo: 'check that the host is up and the line to it',
      }),
    );
    this.#socket.destroy();
  }

  #lose(error: ConnectionError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    for (const listener of this.#listeners) listener(error);
    this.#listeners.clear();
  }
}
