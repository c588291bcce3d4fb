/** Figures older than this say nothing about the present. */
const WINDOW_MS = 5_000;
const GRAIN_MS = 100;

/** How fast something moves, from what is told now and then. */
export class Rate {
  #samples: { atMs: number; bytes: number }[] = [];

  add(atMs: number, bytes: number): void {
    // A transfer that began anew, after a broken connection for instance.
    if (bytes < (this.#samples.at(-1)?.bytes ?? 0)) this.#samples = [];
    const last = this.#samples.at(-1);
    const before = this.#samples.at(-2);
    // Figures that come faster than anybody reads are worth one.
    if (last !== undefined && before !== undefined && atMs - before.atMs < GRAIN_MS) this.#samples.pop();
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Undefined until two figures are there. */
  perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }
}
