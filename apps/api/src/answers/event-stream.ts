import type { ServerResponse } from 'node:http';

/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000;

/** Server-sent events to one client, no faster than it reads. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #life: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;

  /** @param life aborted when the client has left */
  constructor(response: ServerResponse, life: AbortSignal) {
    this.#response = response;
    this.#life = life;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      Connection: 'close',
    });
    response.on('error', () => undefined); // the client left; `life` tells
    response.flushHeaders();
    this.#heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': still here\n\n');
    }, HEARTBEAT_MS);
  }

  /** Resolves when the client can take more, or has left. */
  async send(block: string | Buffer): Promise<void> {
    if (this.#life.aborted || this.#response.write(block)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#life.removeEventListener('abort', done);
        resolve();
      };
      this.#response.once('drain', done);
      this.#life.addEventListener('abort', done);
    });
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#response.end();
  }
}
