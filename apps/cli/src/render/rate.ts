/** Figures older than this say nothing about the present. */
const WINDOW_MS = 5_000;

/** How fast something moves, from what is told now and then. */
export class Rate {
  #samples: { atMs: number; bytes: number }[] = [];

  add(atMs: number, bytes: number): void {
    // A transfer that began anew, after a broken connection for instance.
    if (bytes < (this.#samples.at(-1)?.bytes ?? 0)) this.#samples = [];
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
