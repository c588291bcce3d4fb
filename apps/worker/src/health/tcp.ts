import { connect } from 'node:net';
import { bad, good, type HealthCheck, type Observation, observe } from './check.js';

/** A port that must accept a connection from the worker. */
export class TcpPort implements HealthCheck {
  readonly place: string;
  readonly #timeoutMs: number;

  constructor(address: string, timeoutMs: number) {
    this.place = address;
    this.#timeoutMs = timeoutMs;
  }

  async probe(signal: AbortSignal): Promise<Observation> {
    signal.throwIfAborted();
    const { hostname, port } = new URL(this.place);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    // An IPv6 address stands in brackets there, and without them everywhere else.
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), signal: limit });
    try {
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return good('accepts connections');
    } catch (error) {
      if (!signal.aborted && limit.aborted) return bad(`no connection within ${this.#timeoutMs} ms`);
      return observe(error, signal);
    } finally {
      socket.destroy();
    }
  }
}
