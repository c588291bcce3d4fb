import { ApiClient, type Fetch, PAGE_TYPES, unreachable } from '@rexdeploy/shared/api/client';
import type { Envelope, JobView } from '@rexdeploy/shared/api/envelope-schema';
import { parseAnswer, refusalOf } from '@rexdeploy/shared/api/parse-answer';
import type { AnswerOf, QueryOf } from '@rexdeploy/shared/api/routes';
import type { DrainedRow } from '@rexdeploy/shared/api/routes/drained';
import type { Control } from '@rexdeploy/shared/journal/events';
import { Agent, type Dispatcher, request } from 'undici';
import { advice } from './advice.js';
import { multipartForm, type SentFile } from './multipart.js';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** The API waits up to a minute for a deployment that is cancelled first, and half of one for a plan to be confirmed. */
const START_TIMEOUT_MS = 120_000;
/** The API answers an upload after it has unpacked and stored it. */
const UPLOAD_TIMEOUT_MS = 15 * 60_000;
/** Three missed heartbeats (one each 15 s): the stream is dead, whatever TCP believes. */
const SILENCE_TIMEOUT_MS = 45_000;

/** An upload: a program for all instances of a name, or the configuration of one. */
export interface Upload {
  fields: Readonly<Record<string, string>>;
  file: SentFile;
}

/** The API as `rex` uses it. Every method throws RefusedError or UnreachableError, nothing else. */
export class Client {
  readonly #base: string;
  readonly #agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  readonly #api: ApiClient;

  /** @param server address of the API, with or without a path */
  constructor(server: URL, token: string) {
    this.#base = server.href.replace(/\/$/, '');
    this.#api = new ApiClient({ base: this.#base, token, fetch: this.#fetch, advice });
  }

  /** One action; the answer is that of an accepted request and names the job. */
  rex(params: Readonly<Record<string, string>>): Promise<Envelope> {
    return this.#api.act(params, within(START_TIMEOUT_MS));
  }

  /** The answer of a job as it is now. */
  job(id: string): Promise<Envelope> {
    return this.#api.call('GET /jobs/:id', { params: { id }, ...within(ANSWER_TIMEOUT_MS) });
  }

  /** Cancels, holds or resumes a job. */
  control(id: string, control: Control): Promise<Envelope> {
    return this.#api.call(`POST /jobs/:id/${control}`, { params: { id }, ...within(ANSWER_TIMEOUT_MS) });
  }

  /** Instances out of rotation by our hand. */
  async drained(): Promise<DrainedRow[]> {
    const { data } = await this.#api.call('GET /drained', within(ANSWER_TIMEOUT_MS));
    return Object.values(data.data);
  }

  /** The names that the token is for. */
  async names(): Promise<AnswerOf<'GET /names'>['data']['data'][string][]> {
    const { data } = await this.#api.call('GET /names', within(ANSWER_TIMEOUT_MS));
    return Object.values(data.data);
  }

  /** Jobs, newest first. */
  async jobs(query: QueryOf<'GET /jobs'>): Promise<JobView[]> {
    const { data } = await this.#api.call('GET /jobs', { query, ...within(ANSWER_TIMEOUT_MS) });
    return Object.values(data.data);
  }

  async upload({ fields, file }: Upload): Promise<AnswerOf<'POST /packages'>> {
    const { headers, body } = multipartForm(fields, file);
    const options = { method: 'POST', headersTimeout: UPLOAD_TIMEOUT_MS, headers, body } as const;
    const response = await this.#send(this.#api.url('POST /packages'), options);
    return parseAnswer('POST /packages', await this.#raw(response), advice);
  }

  /** The job's event stream after `lastEventId` (empty: from the start). */
  async openEvents(id: string, lastEventId: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send(this.#api.url('GET /jobs/:id/events', { params: { id } }), {
      method: 'GET',
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: SILENCE_TIMEOUT_MS,
      headers: {
        accept: `text/event-stream; ${PAGE_TYPES}`,
        ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
      },
    });
    if (response.statusCode !== 200) throw refusalOf(await this.#raw(response), advice);
    return this.#chunks(response.body);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** In place of `fetch`, which refuses some ports and hides why a connection failed. */
  readonly #fetch: Fetch = async (url, init) => {
    const { statusCode: status, body } = await request(url, {
      ...init,
      method: init.method as Dispatcher.HttpMethod,
      dispatcher: this.#agent,
    });
    return { status, text: () => body.text() };
  };

  /** What `fetch` is not made for: bodies that are streamed, in either direction. */
  async #send(url: string, options: Omit<Dispatcher.RequestOptions, 'path'>): Promise<Dispatcher.ResponseData> {
    try {
      const headers = { ...this.#api.headers(), ...options.headers };
      return await request(url, { bodyTimeout: ANSWER_TIMEOUT_MS, ...options, headers, dispatcher: this.#agent });
    } catch (error) {
      throw unreachable(this.#base, error, advice);
    }
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw unreachable(this.#base, error, advice);
    }
  }

  async #raw({ statusCode: status, body }: Dispatcher.ResponseData) {
    try {
      return { status, text: await body.text(), where: this.#base };
    } catch (error) {
      throw unreachable(this.#base, error, advice);
    }
  }
}

const within = (ms: number): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) });
