import type { JumpTransport } from '../transport.js';

/** A connection to nowhere, for what only counts and keeps connections. */
export class FakeTransport implements JumpTransport {
  readonly host: string;
  readonly port = 22;
  alive = true;
  constructor(host: string) {
    this.host = host;
  }
  run: JumpTransport['run'] = () => Promise.reject(new Error('not here'));
  openTunnel(): Promise<never> {
    return Promise.reject(new Error('not here'));
  }
  onLost(): () => void {
    return () => {};
  }
  async close(): Promise<void> {
    this.alive = false;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
