import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { LiveRegion } from './live-region.js';

/** At most ten frames a second: more cannot be read, and a slow line cannot carry them. */
const FRAME_MS = 100;
/** Clocks on the board move once a second. */
const TICK_MS = 1_000;

/** Draws a frame when something has changed, once a second, when the terminal has changed its size, and at the end. */
export class Paced {
  readonly #region: LiveRegion;
  readonly #terminal: WriteStream;
  readonly #frame: () => string[];
  #said: string[] = [];
  #drawnMs = 0;
  #next: NodeJS.Timeout | undefined;
  readonly #tick: NodeJS.Timeout;
  #ended = false;

  constructor(terminal: WriteStream, frame: () => string[]) {
    this.#terminal = terminal;
    this.#region = new LiveRegion(terminal);
    this.#frame = frame;
    this.#tick = setInterval(this.change, TICK_MS);
    terminal.on('resize', this.change);
    // However the process ends, the cursor is given back.
    process.on('exit', this.end);
    process.on('SIGTSTP', this.#pause);
    process.on('SIGCONT', this.change);
    for (const [signal, end] of this.#deaths) process.on(signal, end);
  }

  /** Something on the board is different now. */
  readonly change = (): void => {
    if (this.#ended) return;
    // Signals are handled between the two: a frame is never drawn for a size that is known to be over.
    const due = (): void => void setImmediate(this.#draw);
    this.#next ??= setTimeout(due, Math.max(0, this.#drawnMs + FRAME_MS - performance.now()));
  };

  /** A line that stays, above the board. */
  say(line: string): void {
    this.#said.push(harmless(line));
    this.change();
  }

  /** Draws what is still to be drawn, and leaves it there. May be called again. */
  readonly end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#next);
    clearInterval(this.#tick);
    this.#region.draw(this.#frame(), this.#said.splice(0));
    this.#region.end();
    this.#terminal.off('resize', this.change);
    process.off('exit', this.end);
    process.off('SIGTSTP', this.#pause);
    process.off('SIGCONT', this.change);
    for (const [signal, end] of this.#deaths) process.off(signal, end);
  };

  readonly #draw = (): void => {
    if (this.#ended) return;
    this.#next = undefined;
    this.#drawnMs = performance.now();
    this.#region.draw(this.#frame(), this.#said.splice(0));
  };

  /** Ctrl-Z: the shell gets its cursor while we wait; the next frame begins below what the shell wrote. */
  readonly #pause = (): void => {
    this.#region.end();
    process.kill(process.pid, 'SIGSTOP');
  };

  /** Signals that would end the process without `exit`; it ends by the same signal, as its parent expects. */
  readonly #deaths = (['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const).map(
    (signal) =>
      [
        signal,
        (): void => {
          this.end();
          process.kill(process.pid, signal);
        },
      ] as const,
  );
}

/** What a command on a host has put out must not move the cursor here. */
const harmless = (text: string): string => stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n]/gu, ' ');
