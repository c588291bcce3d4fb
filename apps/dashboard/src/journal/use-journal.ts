import { type JobAnswer, jobAnswerSchema } from '@rexdeploy/shared/api/job-answer';
import { eventSchema, type JournalEvent } from '@rexdeploy/shared/journal/events';
import { reduce } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, isTerminal } from '@rexdeploy/shared/journal/state';
import { useEffect, useState } from 'react';
import { api, statusOf } from '../api/client.js';
import { Rates } from './rates.js';

/** Events come in hundreds when a journal is read again: the page is drawn for all of them at once. */
const DRAW_EVERY_MS = 60;
/** Without an event for so long, it is asked whether the stream still tells all. Heartbeats cannot be seen here. */
const SILENCE_MS = 20_000;
const COME_BACK_MS = 2_000;

const TYPES = eventSchema.options.map((option) => option.shape.type.value);

export interface Followed {
  /** Undefined until the first event. */
  state: DeploymentState | undefined;
  /** The final answer, once there is one. */
  answer: JobAnswer | undefined;
  connection: 'live' | 'lost' | 'ended' | 'gone';
  /** When something came last, milliseconds since 1970. */
  heardMs: number;
  rateOf(instance: string): number | undefined;
}

const nothing = (): Followed => ({
  state: undefined,
  answer: undefined,
  connection: 'live',
  heardMs: Date.now(),
  rateOf: () => undefined,
});

/** A deployment as its journal tells it, live, with the reducer that everything else uses too. */
export function useJournal(id: string | undefined): Followed {
  const [followed, setFollowed] = useState(nothing);
  useEffect(() => {
    setFollowed(nothing());
    if (id === undefined) return;
    const follower = new Follower(id, setFollowed);
    return () => follower.stop();
  }, [id]);
  return followed;
}

class Follower {
  readonly #id: string;
  readonly #draw: (followed: Followed) => void;
  readonly #rates = new Rates();
  readonly #now: Followed;
  #lastId = '';
  #source: EventSource | undefined;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #comingBack: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  readonly #watch: ReturnType<typeof setInterval>;
  readonly #life = new AbortController();

  constructor(id: string, draw: (followed: Followed) => void) {
    this.#id = id;
    this.#draw = draw;
    this.#now = { ...nothing(), rateOf: (instance) => this.#rates.of(instance) };
    this.#watch = setInterval(() => void this.#look(), SILENCE_MS / 4);
    this.#open();
  }

  stop(): void {
    this.#life.abort();
    this.#source?.close();
    clearTimeout(this.#drawing);
    clearTimeout(this.#comingBack);
    clearInterval(this.#watch);
  }

  #open(): void {
    this.#source?.close();
    const after = this.#lastId === '' ? {} : { last_event_id: this.#lastId };
    // An event stream cannot be asked for with headers of ours.
    const query = { envelope: 'page' as const, ...after };
    const source = new EventSource(api.url('GET /jobs/:id/events', { params: { id: this.#id }, query }));
    this.#source = source;
    for (const type of TYPES) source.addEventListener(type, (message) => this.#take(message));
    source.addEventListener('end', (message) => this.#end(message));
    source.addEventListener('open', () => {
      this.#attempts = 0;
      this.#set({ connection: 'live', heardMs: Date.now() });
    });
    source.addEventListener('error', () => {
      if (this.#now.connection === 'ended') return;
      this.#set({ connection: 'lost' });
      // As long as it is not closed, the browser comes back by itself, with the id of the last event.
      if (source.readyState === EventSource.CLOSED) this.#comeBack();
    });
  }

  #take({ data, lastEventId }: MessageEvent<string>): void {
    const event: JournalEvent = eventSchema.parse(JSON.parse(data));
    this.#lastId = lastEventId;
    this.#rates.note(event);
    this.#set({ state: reduce(this.#now.state, event), connection: 'live', heardMs: Date.now() });
  }

  #end({ data }: MessageEvent<string>): void {
    this.#source?.close();
    clearInterval(this.#watch);
    this.#set({ answer: jobAnswerSchema.parse(JSON.parse(data)), connection: 'ended', heardMs: Date.now() });
  }

  #comeBack(): void {
    clearTimeout(this.#comingBack);
    // At once the first time: an address that leads nowhere should say so.
    const pauseMs = this.#attempts === 0 ? 0 : COME_BACK_MS;
    this.#attempts += 1;
    this.#comingBack = setTimeout(() => {
      void this.#isThere().then((there) => {
        if (this.#life.signal.aborted) return;
        if (there === 'yes') this.#open();
        else if (there === 'no') this.#set({ connection: 'gone' });
        else this.#comeBack();
      });
    }, pauseMs);
  }

  async #isThere(): Promise<'yes' | 'no' | 'unknown'> {
    try {
      await api.call('GET /jobs/:id', { params: { id: this.#id }, signal: this.#life.signal });
      return 'yes';
    } catch (error) {
      const status = statusOf(error);
      return status === 404 || status === 403 ? 'no' : 'unknown';
    }
  }

  /** A connection that died without a word is silent, as one is on which nothing happens. */
  async #look(): Promise<void> {
    const { connection, heardMs, state } = this.#now;
    if (connection !== 'live' || Date.now() - heardMs < SILENCE_MS || document.visibilityState !== 'visible') return;
    try {
      const { job } = await api.call('GET /jobs/:id', { params: { id: this.#id }, signal: this.#life.signal });
      if (isTerminal(job.state) || job.state !== state?.state) this.#open();
      else this.#set({ heardMs: Date.now() });
    } catch {
      if (!this.#life.signal.aborted) this.#set({ connection: 'lost' });
      this.#source?.close();
      this.#comeBack();
    }
  }

  #set(change: Partial<Followed>): void {
    Object.assign(this.#now, change);
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#draw({ ...this.#now });
    }, DRAW_EVERY_MS);
  }
}
