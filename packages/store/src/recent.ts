/** What was used lately, for as long as it is likely to be used again. Its weight is bounded, and no timer keeps a process. */
export class Recent<T extends object> {
  readonly #keepMs: number;
  readonly #maxWeight: number;
  readonly #entries = new Map<string, { value: T; weight: number; timer: NodeJS.Timeout }>();
  #weight = 0;

  /** @param maxWeight of everything together; what alone weighs more is not kept */
  constructor(keepMs: number, maxWeight: number) {
    this.#keepMs = keepMs;
    this.#maxWeight = maxWeight;
  }

  /** Begins its time anew. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.timer.refresh();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: T, weight: number): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    const timer = setTimeout(() => this.delete(key), this.#keepMs).unref();
    this.#entries.set(key, { value, weight, timer });
    this.#weight += weight;
    // The first one was not used for the longest time.
    for (const eldest of this.#entries.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.delete(eldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
