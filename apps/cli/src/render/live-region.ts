import { widthOf } from './board.js';

const ESC = '\u001b[';
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
/** Terminals that know it show all between the two at once; others ignore it. */
const BEGIN_FRAME = `${ESC}?2026h`;
const END_FRAME = `${ESC}?2026l`;
const CLEAR_TO_END_OF_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;

/** As much of a terminal as is needed. */
export interface Terminal {
  columns?: number;
  rows?: number;
  write(text: string): boolean;
}

/**
 * The lowest lines of a terminal, written over again and again; what is said meanwhile goes above them and stays.
 * Each line must be narrower than the screen. The cursor is hidden from the first frame to `end`.
 */
export class LiveRegion {
  readonly #terminal: Terminal;
  #frame: readonly string[] = [];
  #columns = 0;
  #hidden = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param said lines that go above the frame, once */
  draw(frame: readonly string[], said: readonly string[] = []): void {
    const isSame = frame.length === this.#frame.length && frame.every((line, at) => line === this.#frame[at]);
    if (isSame && said.length === 0 && this.#hidden && this.#columns === this.#width()) return;
    const above = said.length === 0 ? '' : `${CLEAR_BELOW}${said.join('\n')}\n`;
    const lines = frame.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('');
    const start = this.#hidden ? '' : HIDE_CURSOR;
    // In one piece, and nothing is cleared before something stands in its place: no flicker.
    this.#terminal.write(`${BEGIN_FRAME}${start}${this.#backToTop()}${above}${lines}${CLEAR_BELOW}${END_FRAME}`);
    this.#hidden = true;
    this.#frame = frame;
    this.#columns = this.#width();
  }

  /** Leaves the last frame where it is, and gives the cursor back. May be called again. */
  end(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    this.#frame = [];
    this.#terminal.write(SHOW_CURSOR);
  }

  /** A terminal that was made narrower has broken our lines into several. */
  #backToTop(): string {
    const columns = this.#width();
    const rows = this.#frame.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    return rows === 0 ? '' : `\r${ESC}${rows}A`;
  }

  #width(): number {
    return this.#terminal.columns || 80;
  }
}
