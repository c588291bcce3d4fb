/** What was seen longer ago than this does not count, in ms: an operator at work is slower. */
export const LATELY_MS = 1_000;

/**
 * Looks that a step will need, begun while something else is waited for. Each answers once, and only for a moment; whatever
 * failed is left to the step, which looks by itself then.
 */
export class Ahead<T> {
  readonly #begun = new Map<string, { atMs: number; looking: Promise<T | undefined> }>();

  /** Begins a look, or keeps what is known already. @param about the instance's key */
  begin(about: string, look: () => Promise<T>): void {
    const looking = look().catch(() => undefined);
    this.#begun.set(about, { atMs: performance.now(), looking });
  }

  /** Begins a look where none was begun lately enough to count for some time still. */
  renew(about: string, look: () => Promise<T>): void {
    const begun = this.#begun.get(about);
    if (begun === undefined || performance.now() - begun.atMs > LATELY_MS / 2) this.begin(about, look);
  }

  /** What was begun counts no more. */
  forget(about: string): void {
    this.#begun.delete(about);
  }

  /** Waits until nothing that was begun is under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#begun.values()].map(({ looking }) => looking));
  }

  /** @returns what was seen; undefined where nothing was begun within a second, or it failed */
  async take(about: string): Promise<T | undefined> {
    const begun = this.#begun.get(about);
    this.#begun.delete(about);
    return begun === undefined || performance.now() - begun.atMs > LATELY_MS ? undefined : begun.looking;
  }
}
