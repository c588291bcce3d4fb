import type { JournalEvent } from '@rexdeploy/shared/journal/events';

/** So far back a rate looks: long enough to be steady, short enough to be true. */
const WINDOW_MS = 3_000;

interface Sample {
  atMs: number;
  bytes: number;
}

/** Bytes a second of each transfer, from the figures that the journal brings. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>();

  note(event: JournalEvent): void {
    if (event.type !== 'step-progress') return;
    const atMs = Date.parse(event.at);
    const samples = (this.#samples.get(event.instance) ?? []).filter((sample) => sample.atMs >= atMs - WINDOW_MS);
    samples.push({ atMs, bytes: event.bytes });
    this.#samples.set(event.instance, samples);
  }

  /** Undefined while there is nothing to tell from. */
  of(instance: string): number | undefined {
    const samples = this.#samples.get(instance) ?? [];
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return undefined;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }
}
