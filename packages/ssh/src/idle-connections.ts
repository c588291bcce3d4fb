import { statSync } from 'node:fs';
import type { JumpTransport, SshSettings } from './transport.js';

/** The same name is often deployed again at once; hosts drop what is idle much later than this. */
const IDLE_MS = 60_000;
/** However often it is used again: groups, limits and surroundings of a user are those of the log-in. */
const MOST_AGE_MS = 300_000;
/** A worker of many names must not keep the hosts' log-ins for all of them. */
const MOST = 64;
/** A host that went away in silence must not hold up who comes next, in ms. */
const ANSWER_MS = 2_000;

interface Resting {
  readonly key: string;
  readonly transport: JumpTransport;
  readonly timer: NodeJS.Timeout;
}

/**
 * Connections that a deployment has done with, kept for the next one for a minute, and for five in all: a log-in costs a host
 * more than most commands. Each is used by one deployment at a time.
 */
export class IdleConnections implements AsyncDisposable {
  /** The one that rests longest comes first. */
  #resting: Resting[] = [];
  /** When each of them rested for the first time. */
  readonly #firstMs = new WeakMap<JumpTransport, number>();
  #closed = false;

  /** A connection made with the very same settings, which has just answered; undefined where there is none. */
  async take(settings: SshSettings): Promise<JumpTransport | undefined> {
    const key = keyOf(settings);
    for (;;) {
      // The newest, so that those which are not needed any more come to their end.
      const found = this.#resting.findLast((one) => one.key === key);
      if (found === undefined) return undefined;
      this.#leave(found);
      if (!found.transport.alive) continue;
      if ((await found.transport.answers?.(ANSWER_MS)) === true) return found.transport;
      // The others to the same host are as silent, and nobody is to wait for each of them.
      for (const one of [found, ...this.#resting.filter((other) => other.key === key)]) this.#end(one);
    }
  }

  /** @returns whether it is kept; else it is the caller's to close */
  keep(settings: SshSettings, transport: JumpTransport): boolean {
    // What goes through another connection would keep that one as well.
    if (this.#closed || settings.via !== undefined || !transport.alive || transport.idle !== true) return false;
    const firstMs = this.#firstMs.get(transport) ?? Date.now();
    if (Date.now() - firstMs > MOST_AGE_MS) return false;
    this.#firstMs.set(transport, firstMs);
    const resting: Resting = {
      key: keyOf(settings),
      transport,
      timer: setTimeout(() => this.#end(resting), IDLE_MS).unref(),
    };
    this.#resting.push(resting);
    const [oldest] = this.#resting;
    if (this.#resting.length > MOST && oldest !== undefined) this.#end(oldest);
    return true;
  }

  /** Closes what rests; nothing is kept any more. */
  async close(): Promise<void> {
    this.#closed = true;
    const resting = this.#resting;
    this.#resting = [];
    for (const { timer } of resting) clearTimeout(timer);
    await Promise.all(resting.map(({ transport }) => transport.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #leave(one: Resting): void {
    clearTimeout(one.timer);
    this.#resting = this.#resting.filter((other) => other !== one);
  }

  #end(one: Resting): void {
    this.#leave(one);
    // Its errors are those of a connection that nobody uses.
    one.transport.close().catch(() => undefined);
  }
}

/** All that makes a connection: another key or list of known hosts is another connection, also in a file of the same name. */
const keyOf = (settings: SshSettings): string =>
  JSON.stringify([
    Object.entries(settings).sort(),
    versionOf(settings.privateKeyPath),
    versionOf(settings.knownHostsPath),
  ]);

function versionOf(path: string | undefined): unknown {
  const stat = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  return stat && [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs];
}
