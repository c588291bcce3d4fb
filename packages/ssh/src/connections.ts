import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { connect } from './ssh2-transport.js';
import type { SshSettings, Transport } from './transport.js';

/** Opens a transport; `connect` of ssh2-transport.ts unless a simulation stands in for it. */
export type Connect = (settings: SshSettings, options: { signal: AbortSignal }) => Promise<Transport>;

interface Entry {
  readonly attempt: Promise<Transport>;
  /** Set once the attempt has succeeded. */
  transport: Transport | undefined;
}

/** The connections of one deployment: at most one for each host, port and user, opened when first asked for. */
export class Connections implements AsyncDisposable {
  readonly #connect: Connect;
  readonly #open = new Map<string, Entry>();
  readonly #end = new AbortController();

  constructor(open: Connect = connect) {
    this.#connect = open;
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
    const key = JSON.stringify([settings.host, settings.port, settings.user]);
    let entry = this.#open.get(key);
    if (entry === undefined || entry.transport?.alive === false) entry = this.#start(key, settings);
    return abortable(entry.attempt, options.signal);
  }

  /** Closes all connections and gives up attempts under way; the object cannot be used again. */
  async closeAll(): Promise<void> {
    this.#end.abort(new RexError({ what: 'the connections of this deployment are closed' }));
    const opened = await Promise.allSettled([...this.#open.values()].map((entry) => entry.attempt));
    this.#open.clear();
    await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }

  #start(key: string, settings: SshSettings): Entry {
    const entry: Entry = { attempt: this.#connect(settings, { signal: this.#end.signal }), transport: undefined };
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

/** Waits for something shared; the signal ends the waiting alone. */
function abortable<T>(something: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return something;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    something.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
