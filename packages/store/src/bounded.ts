/** Runs tasks side by side, never more than `limit` at once; the first failure is kept and told to whoever waits next. */
export class Bounded {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly reason: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts the task as soon as there is room, and returns then. Throws what an earlier task failed with. */
  async start(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#throwFailure();
    const running = task()
      .catch((reason: unknown) => {
        this.#failure ??= { reason };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits for all tasks. Throws what the first of them failed with. */
  async finish(): Promise<void> {
    await this.settle();
    this.#throwFailure();
  }

  /** Waits for all tasks, whatever became of them. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}
