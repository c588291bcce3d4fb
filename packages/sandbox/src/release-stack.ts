/**
 * What is acquired registers its release at once. `close` runs all of them in reverse order, even when one fails, and
 * gives the first error back. The synchronous half runs when the process exits without having closed.
 */
const atExit: (() => void)[] = [];

function releaseAll(): void {
  for (const release of atExit.splice(0).reverse()) {
    try {
      release();
    } catch {
      // While exiting there is nobody left to tell, and the releases that follow matter more.
    }
  }
}

process.on('exit', releaseAll);
// A signal nobody handles ends the process without an 'exit' event. Where the program has a handler, it decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  const end = (): void => {
    if (process.listenerCount(signal) > 1) return;
    releaseAll();
    process.off(signal, end);
    process.kill(process.pid, signal);
  };
  process.on(signal, end);
}

/** Runs `release` when the process exits; the answer takes it back. */
export function onProcessExit(release: () => void): () => void {
  atExit.push(release);
  return () => {
    const at = atExit.lastIndexOf(release);
    if (at >= 0) atExit.splice(at, 1);
  };
}

export class ReleaseStack {
  readonly #releases: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  defer(release: () => void | Promise<void>): void {
    this.#releases.push(release);
  }

  /** Safe to call again: later calls wait for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
