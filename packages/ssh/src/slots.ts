/** A limited number of permits; who asks first gets first. */
export class Slots {
  readonly #count: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Is there one that nobody waits for? */
  get isFree(): boolean {
    return this.#free > 0;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#count - this.#free;
  }

  /** Waits for a permit; the result gives it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}
