import { UnreachableError } from '../errors/client-errors.js';
import { type ActionAnswer, type ActionName, type ActionParams, type ActionRoute, actions } from './actions.js';
import type { Envelope } from './envelope-schema.js';
import { type Advice, parseAnswer, parseAs, parseEnvelope, type RawAnswer, refuse, sourceOf } from './parse-answer.js';
import {
  type AnswerOf,
  type BodyOf,
  type ParamsOf,
  type QueryOf,
  type RouteKey,
  type Routes,
  splitKey,
} from './routes.js';

/** Asks for the documented types in `Accept`, whatever `api.envelope` of the configuration says. */
export const PAGE_TYPES = 'envelope=page';

/** As much of the platform's `fetch` as is used, so that any program can bring its own. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;
export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}
export interface FetchAnswer {
  readonly status: number;
  text(): Promise<string>;
}

export interface ClientSettings {
  /** Where the API is; in its own pages: the empty text. A path before the API's own is kept. */
  base: string;
  /** Absent where a cookie says who asks. */
  token?: string;
  fetch?: Fetch;
  /** Further header fields of every request. */
  headers?: Readonly<Record<string, string>>;
  advice?: Advice;
}

/** Routes that `call` is for: JSON in both directions. Streams and uploads are the caller's, with `url` and `headers`. */
export type CallKey = { [K in RouteKey]: IsCallable<Routes[K]> extends true ? K : never }[RouteKey];
type IsCallable<R> = R extends { readonly body: { readonly kind: 'multipart' } }
  ? false
  : R extends { readonly answers: { readonly [status: number]: { readonly media: string } } }
    ? false
    : true;

/** What goes into the address of a route. */
export type Place<K extends RouteKey> = ([ParamsOf<K>] extends [never] ? { params?: never } : { params: ParamsOf<K> }) &
  ([QueryOf<K>] extends [never] ? { query?: never } : { query?: QueryOf<K> });
export type CallInput<K extends RouteKey> = Place<K> &
  ([BodyOf<K>] extends [never] ? { body?: never } : { body: BodyOf<K> }) & {
    headers?: Record<string, string>;
    signal?: AbortSignal;
  };
/** May be left out where nothing has to be said. */
type Input<T> = Record<never, never> extends T ? [input?: T] : [input: T];

/** The API, typed by its table of routes. Every method throws RefusedError or UnreachableError, nothing else. */
export class ApiClient {
  readonly #settings: ClientSettings;
  readonly #base: string;
  /** The API as messages call it. */
  readonly #where: string;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.#base = settings.base.replace(/\/$/, '');
    this.#where = this.#base === '' ? 'the server of this page' : this.#base;
  }

  /** Asks one route, e.g. `call('GET /names/:k', { params: { k: 'server' } })`. */
  async call<K extends CallKey>(key: K, ...[input]: Input<CallInput<K>>): Promise<AnswerOf<K>> {
    const raw = await this.#send(key, this.#url(key, input), input ?? {});
    return parseAnswer(key, raw, this.#settings.advice);
  }

  /** One action of `POST /rex`. */
  async rex<A extends ActionName>(
    params: ActionParams<A> & { action: A },
    options: CallOptions = {},
  ): Promise<ActionAnswer<A>> {
    const { action } = params;
    const { answer }: ActionRoute = actions[action];
    const raw = await this.#send('POST /rex', this.#url('POST /rex'), { ...options, body: params });
    refuse(raw, this.#settings.advice);
    return parseAs(answer, raw.text, sourceOf(raw), this.#settings.advice) as ActionAnswer<A>;
  }

  /** Any action, with parameters as somebody typed them: what they may be is the API's to say. */
  async act(params: Readonly<Record<string, string>>, options: CallOptions = {}): Promise<Envelope> {
    const raw = await this.#send('POST /rex', this.#url('POST /rex'), { ...options, body: params });
    return parseEnvelope(raw, this.#settings.advice);
  }

  /** The address of a route. */
  url<K extends RouteKey>(key: K, ...[place]: Input<Place<K>>): string {
    return this.#url(key, place);
  }

  /** What every request has to carry. In a header, never in the address: addresses end up in the logs of proxies. */
  headers(): Record<string, string> {
    const { token, headers } = this.#settings;
    return {
      accept: `application/json; ${PAGE_TYPES}`,
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  #url(key: RouteKey, place: Parts = {}): string {
    const path = splitKey(key).path.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(place.params?.[name] ?? ''),
    );
    const query = encodeForm(place.query ?? {});
    return `${this.#base}${path}${query === '' ? '' : `?${query}`}`;
  }

  async #send(key: RouteKey, url: string, { body, headers, signal }: Parts & CallOptions): Promise<RawAnswer> {
    const init: FetchInit = { method: splitKey(key).method, headers: { ...this.headers(), ...headers } };
    if (signal !== undefined) init.signal = signal;
    if (body !== undefined) {
      init.headers['content-type'] = 'application/x-www-form-urlencoded';
      init.body = encodeForm(body);
    }
    try {
      const answer = await (this.#settings.fetch ?? platformFetch)(url, init);
      return { status: answer.status, text: await answer.text(), where: this.#where };
    } catch (cause) {
      throw unreachable(this.#where, cause, this.#settings.advice);
    }
  }
}

export interface CallOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

type Texts = Readonly<Record<string, string | undefined>>;
interface Parts {
  params?: Texts;
  query?: Texts;
  body?: Texts;
}

const platformFetch: Fetch = (url, init) => fetch(url, init);

/** What is undefined is left out. */
function encodeForm(values: Texts): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

/** No answer came, or it broke off. */
export function unreachable(where: string, cause: unknown, advice: Advice = {}): UnreachableError {
  const what = `the API cannot be reached: ${reasonOf(cause)}`;
  return new UnreachableError({ where, what, whatToDo: advice.unreachable, cause });
}

/** The platform's own wording. `fetch` hides it in the cause; where a name has several addresses it is that of the first. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error instanceof TypeError && error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
