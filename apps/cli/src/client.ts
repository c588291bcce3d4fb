import { type Envelope, type JobView, jobSchema } from '@rexdeploy/shared/api/envelope-schema';
import type { Control } from '@rexdeploy/shared/journal/events';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { RefusedError, UnreachableError } from './errors.js';
import { multipartForm, type SentFile } from './multipart.js';
import { parseEnvelope } from './parse-envelope.js';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** The API waits up to a minute for a deployment that is cancelled first, and half of one for a plan to be confirmed. */
const START_TIMEOUT_MS = 120_000;
/** The API answers an upload after it has unpacked and stored it. */
const UPLOAD_TIMEOUT_MS = 15 * 60_000;
/** Three missed heartbeats (one each 15 s): the stream is dead, whatever TCP believes. */
const SILENCE_TIMEOUT_MS = 45_000;

const drainedRowSchema = z.looseObject({
  k: z.string(),
  instance: z.string(),
  since: z.string(),
  deployment: z.string(),
  exact: z.string(),
  kept: z.string(),
});
export type DrainedRow = z.infer<typeof drainedRowSchema>;

/** An upload: a program for all instances of a name, or the configuration of one. */
export interface Upload {
  fields: Readonly<Record<string, string>>;
  file: SentFile;
}

/** The API as `rex` uses it. Every method throws RefusedError or UnreachableError, nothing else. */
export class Client {
  readonly #base: string;
  readonly #token: string;
  readonly #agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });

  /** @param server address of the API, with or without a path */
  constructor(server: URL, token: string) {
    this.#base = server.href.replace(/\/$/, '');
    this.#token = token;
  }

  /** One action; the answer is that of an accepted request and names the job. */
  rex(params: Readonly<Record<string, string>>): Promise<Envelope> {
    return this.#ask('/rex', {
      method: 'POST',
      headersTimeout: START_TIMEOUT_MS,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(params).toString(),
    });
  }

  /** The answer of a job as it is now. */
  job(id: string): Promise<Envelope> {
    return this.#ask(`/jobs/${encodeURIComponent(id)}`);
  }

  /** Cancels, holds or resumes a job. */
  control(id: string, control: Control): Promise<Envelope> {
    return this.#ask(`/jobs/${encodeURIComponent(id)}/${control}`, { method: 'POST' });
  }

  /** Instances out of rotation by our hand. */
  async drained(): Promise<DrainedRow[]> {
    const { data } = await this.#ask('/drained');
    return Object.values(data.data).map((row) => drainedRowSchema.parse(row));
  }

  /** Jobs, newest first. */
  async jobs(filter: Readonly<Record<string, string>>): Promise<JobView[]> {
    const { data } = await this.#ask(`/jobs?${new URLSearchParams(filter)}`);
    return Object.values(data.data).map((row) => jobSchema.parse(row));
  }

  upload({ fields, file }: Upload): Promise<Envelope> {
    const options = { method: 'POST', headersTimeout: UPLOAD_TIMEOUT_MS } as const;
    return this.#ask('/packages', { ...options, ...multipartForm(fields, file) });
  }

  /** The job's event stream after `lastEventId` (empty: from the start). */
  async openEvents(id: string, lastEventId: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send(`/jobs/${encodeURIComponent(id)}/events`, {
      bodyTimeout: SILENCE_TIMEOUT_MS,
      headers: { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
    });
    if (response.statusCode !== 200) throw this.#refusal(response.statusCode, await this.#envelope(response));
    return this.#chunks(response.body);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask(path: string, options: Omit<Dispatcher.RequestOptions, 'path' | 'method'> & { method?: 'POST' } = {}) {
    const response = await this.#send(path, options);
    const envelope = await this.#envelope(response);
    if (response.statusCode >= 400) throw this.#refusal(response.statusCode, envelope);
    return envelope;
  }

  async #send(path: string, options: Omit<Dispatcher.RequestOptions, 'path' | 'method'> & { method?: 'POST' }) {
    try {
      return await request(`${this.#base}${path}`, {
        method: 'GET',
        headersTimeout: ANSWER_TIMEOUT_MS,
        bodyTimeout: ANSWER_TIMEOUT_MS,
        ...options,
        // In a header, never in the address: addresses end up in the logs of proxies.
        headers: { ...options.headers, authorization: `Bearer ${this.#token}` },
        dispatcher: this.#agent,
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #envelope(response: Dispatcher.ResponseData): Promise<Envelope> {
    let text: string;
    try {
      text = await response.body.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    return parseEnvelope(parseJson(text), `${this.#base} answered ${response.statusCode}`);
  }

  #refusal(status: number, envelope: Envelope): RefusedError {
    return new RefusedError({ status, what: envelope.msg ?? envelope.data.msg, whatToDo: advice(status, envelope) });
  }

  #unreachable(cause: unknown): UnreachableError {
    return new UnreachableError({
      where: this.#base,
      what: `the API cannot be reached: ${reason(cause)}`,
      whatToDo: 'check --server or REX_SERVER, and that the API runs (npm start)',
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page, for instance: refused like any other body that is not ours
  }
}

function advice(status: number, { job }: Envelope): string | undefined {
  if (status === 401) return 'give a valid token with --token or REX_TOKEN; `rex token create` makes one';
  if (status === 409 && job !== undefined) return `follow the running one: rex watch ${job.id}`;
  return undefined;
}

/** undici's own wording; where a name has several addresses, that of the first one, as the whole has none. */
function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return reason(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
