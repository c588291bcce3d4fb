import type { HealthSection } from '@rexdeploy/shared/config/health';
import { request } from 'undici';
import { readBody } from '../http/read-body.js';
import { type HealthCheck, type Observation, observe } from './check.js';
import { judgeAnswer, MAX_BODY_BYTES } from './judge-answer.js';

/** An address that the worker asks itself. */
export class UrlFromWorker implements HealthCheck {
  readonly place: string;
  readonly #health: HealthSection;

  constructor(url: string, health: HealthSection) {
    this.place = url;
    this.#health = health;
  }

  async probe(signal: AbortSignal): Promise<Observation> {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#health.timeout)]);
      // A new connection each time: a kept one could still lead to a process that is gone.
      const headers = { ...this.#health.headers, connection: 'close' };
      const answer = await request(this.place, { signal: limit, headers, reset: true });
      return judgeAnswer(this.#health, {
        status: answer.statusCode,
        body: await readBody(answer.body, MAX_BODY_BYTES),
      });
    } catch (error) {
      return observe(error, signal);
    }
  }
}
