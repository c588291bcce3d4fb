import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';

export interface LoadOptions {
  /** Visitors that keep their connection, and visitors that open one for each request. */
  keeping?: number;
  opening?: number;
  /** Between two requests of one visitor. */
  pauseMs?: number;
}

/** What visitors saw. */
export interface Load {
  requests: number;
  /** One text for each request that was not answered with 200. */
  failures: string[];
  /** Requests sent over a kept connection in the moment in which the server closed it, and sent again over a new one. */
  reopened: number;
  /** Answers by version. */
  versions: Map<string, number>;
  p50Ms: number;
  p99Ms: number;
}

/** Each visitor makes about this many requests a second, less the time that the answer takes. */
const PAUSE_MS = 80;
const TIMEOUT_MS = 15_000;

/**
 * Visits a site steadily, over connections that are kept and over new ones, until told to stop. One thing is asked a
 * second time, as by every browser (RFC 9112, 9.3.1): what met a connection that was idle until then and was closed
 * without a byte of an answer. It is counted, and cannot be avoided while an nginx older than 1.27.4 reloads: it closes
 * idle connections without asking whether a request is on its way. Whoever opens a connection for each request never
 * asks twice.
 */
export function startLoad(url: string, options: LoadOptions = {}): { stop(): Promise<Load> } {
  const { keeping = 6, opening = 2, pauseMs = PAUSE_MS } = options;
  const load: Load = { requests: 0, failures: [], reopened: 0, versions: new Map(), p50Ms: 0, p99Ms: 0 };
  const timesMs: number[] = [];
  const leave = new AbortController();

  const ask = async (visitor: Visitor): Promise<void> => {
    const begun = performance.now();
    const at = new Date().toISOString().slice(11, 23);
    load.requests += 1;
    try {
      const { status, text, reopened } = await visitor.get('/');
      if (reopened) load.reopened += 1;
      const version = /^version (\S+) instance /.exec(text)?.[1];
      if (status !== 200 || version === undefined) load.failures.push(`${at} ${status} ${text}`);
      else load.versions.set(version, (load.versions.get(version) ?? 0) + 1);
    } catch (error) {
      load.failures.push(`${at} ${String(error)}`);
    }
    timesMs.push(performance.now() - begun);
  };
  const visit = async (keeps: boolean, at: number): Promise<void> => {
    const visitor = new Visitor(url, keeps);
    // Apart from each other, or all would ask in the same moment.
    await pause((pauseMs * at) / (keeping + opening));
    while (!leave.signal.aborted) {
      await ask(visitor);
      await pause(pauseMs);
    }
    await visitor.close();
  };
  const visits = Array.from({ length: keeping + opening }, (_, at) => visit(at < keeping, at));

  return {
    stop: async () => {
      leave.abort();
      await Promise.all(visits);
      timesMs.sort((one, other) => one - other);
      const quantile = (share: number): number => timesMs[Math.floor(share * (timesMs.length - 1))] ?? 0;
      return { ...load, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
    },
  };
}

/** One line for people. */
export function describeLoad(title: string, { requests, failures, reopened, versions, p50Ms, p99Ms }: Load): string {
  const seen = [...versions].map(([version, count]) => `${version} ${count}`).join(', ');
  const times = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  const asked = `${requests} requests, ${failures.length} errors, ${reopened} connections reopened`;
  return `${title}: ${asked}, ${times}, answered by ${seen}`;
}

/** One client with one connection at a time. */
class Visitor {
  readonly #client: Client;
  readonly #keeps: boolean;
  /** The connection that is open has brought an answer before. */
  #proved = false;

  constructor(url: string, keeps: boolean) {
    this.#keeps = keeps;
    this.#client = new Client(url, { pipelining: 1, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    this.#client.on('disconnect', () => {
      this.#proved = false;
    });
  }

  async get(path: string): Promise<{ status: number; text: string; reopened: boolean }> {
    const ask = () => this.#client.request({ path, method: 'GET', reset: !this.#keeps });
    const mayRepeat = this.#keeps && this.#proved;
    let reopened = false;
    const answer = await ask().catch((error: unknown) => {
      if (!mayRepeat || !wasClosed(error)) throw error;
      reopened = true;
      return ask();
    });
    this.#proved = true;
    return { status: answer.statusCode, text: (await answer.body.text()).trim(), reopened };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const wasClosed = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code));
