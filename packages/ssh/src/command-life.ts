import { setMaxListeners } from 'node:events';
import type { CommandReport } from './command-failure.js';
import type { Link } from './link.js';
import type { RunOptions } from './transport.js';

/** Default of `timeoutMs`. */
const TIMEOUT_MS = 600_000;

/**
 * The life of one command, and all that can end it early: time, silence, the caller, the connection, its own streams.
 * The first to call `stop` decides the error.
 */
export class CommandLife {
  readonly report: CommandReport;
  /** Grows with each piece of output. */
  received = 0;
  readonly #end = new AbortController();
  readonly #stopped: Promise<never>;
  readonly #whole: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout | undefined;
  readonly #forget: () => void;

  constructor(link: Link, options: RunOptions, report: CommandReport) {
    const { signal, idleTimeoutMs, timeoutMs = TIMEOUT_MS } = options;
    this.report = report;
    this.#stopped = new Promise((_, reject) => {
      this.#end.signal.addEventListener('abort', () => reject(this.#end.signal.reason), { once: true });
    });
    // Heard by `race` only while one is under way.
    this.#stopped.catch(() => {});
    this.#whole = setTimeout(() => this.stop(report.timedOut(timeoutMs)), timeoutMs);
    if (idleTimeoutMs !== undefined) {
      this.#idle = setTimeout(() => this.stop(report.idle(idleTimeoutMs)), idleTimeoutMs);
    }
    const forgetLink = link.onLost((error) => this.stop(error));
    // One signal for a whole deployment has as many listeners as commands run; they are all taken off again.
    if (signal !== undefined) setMaxListeners(0, signal);
    const onAbort = () => this.stop(report.cancelled(signal?.reason));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#forget = () => {
      forgetLink();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  stop(error: Error): void {
    this.#end.abort(error);
  }

  /** @throws what ended the command early, if anything did */
  check(): void {
    this.#end.signal.throwIfAborted();
  }

  /** Waits for something, or fails with what ends the command first. */
  race<T>(something: Promise<T>): Promise<T> {
    return Promise.race([this.#stopped, something]);
  }

  /** Output arrived. */
  arrived(): void {
    this.received += 1;
    this.moved();
  }

  /** A byte moved, in either direction. */
  moved(): void {
    this.#idle?.refresh();
  }

  /** Lets go of all timers and listeners. */
  clear(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#idle);
    this.#forget();
  }
}
