import { type EnvelopeSettings, envelope, takeSeconds } from '@rexdeploy/shared/journal/envelope';
import { maskSecretsIn } from '@rexdeploy/shared/mask';
import { LRUCache } from 'lru-cache';
import type { Folded } from '../deployments.js';
import { projected, type Style } from './projection.js';

/** Answers that are kept, and their bytes in all. */
const MAX_ANSWERS = 1_000;
const MAX_BYTES = 32 * 1024 ** 2;

interface Ready {
  /** Last entry of the journal that it tells of, and its `take`: all that it depends on besides the deployment. */
  lastId: string;
  take: number;
  body: Buffer;
}

/**
 * Answers of jobs as the bytes that are sent, masked, kept for as long as nothing in them changes: who polls a job mostly
 * gets what was sent before.
 */
export class ReadyAnswers {
  readonly #settings: EnvelopeSettings;
  /** By job and style. */
  readonly #ready: LRUCache<string, Ready>;

  /** @param limits how much is kept; tests give smaller ones */
  constructor(settings: EnvelopeSettings, limits = { max: MAX_ANSWERS, maxBytes: MAX_BYTES }) {
    this.#settings = settings;
    this.#ready = new LRUCache({
      max: limits.max,
      maxSize: limits.maxBytes,
      sizeCalculation: ({ body }) => body.length,
    });
  }

  /**
   * The documented answer of a job as JSON in UTF-8. It is the same for every token: who may see it is settled before.
   * @param nowMs end of `take` while the deployment runs, milliseconds since 1970
   */
  bodyOf({ state, lastId }: Folded, style: Style, nowMs: number): Buffer {
    const key = `${state.id} ${style}`;
    const take = takeSeconds(state, nowMs);
    const ready = this.#ready.get(key);
    if (ready !== undefined && ready.lastId === lastId && ready.take === take) return ready.body;
    const answer = projected(style, envelope(state, this.#settings, nowMs));
    const body = Buffer.from(maskSecretsIn(JSON.stringify(answer)));
    this.#ready.set(key, { lastId, take, body });
    return body;
  }

  /** How many are kept, and their bytes. */
  get kept(): { answers: number; bytes: number } {
    return { answers: this.#ready.size, bytes: this.#ready.calculatedSize };
  }
}
