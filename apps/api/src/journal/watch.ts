import type { Entry } from '@rexdeploy/shared/journal/journal';

/** Entries that may wait for a slow reader; past that it reads on from the journal. */
const MAX_WAITING = 100;

/** One reader's end of the feed. */
export class JournalWatch {
  readonly #onClose: () => void;
  #waiting: Entry[] = [];
  #behind = false;
  #wake: (() => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  push(entry: Entry): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(entry);
    else this.fallBehind();
    this.#wake?.();
  }

  /** What waits is dropped; the reader is told to look into the journal itself. */
  fallBehind(): void {
    this.#waiting = [];
    this.#behind = true;
    this.#wake?.();
  }

  /**
   * The next entries, waiting for them if need be.
   * @returns 'behind' when entries were dropped: read on from the journal; undefined when the signal was aborted
   */
  async take(signal: AbortSignal): Promise<Entry[] | 'behind' | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      if (this.#behind) {
        this.#behind = false;
        this.#waiting = [];
        return 'behind';
      }
      if (this.#waiting.length > 0) return this.#waiting.splice(0);
      await this.#news(signal);
    }
  }

  close(): void {
    this.#onClose();
    this.#wake?.();
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }
}
