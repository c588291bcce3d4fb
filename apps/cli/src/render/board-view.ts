import type { WriteStream } from 'node:tty';
import type { JournalEvent } from '@rexdeploy/shared/journal/events';
import { logLine } from '@rexdeploy/shared/journal/reduce';
import type { SseMessage } from '../sse.js';
import { boardLines } from './board.js';
import { eventLine, eventOf } from './event-line.js';
import { Paced } from './paced.js';
import { Progress } from './progress.js';
import { makeStyle } from './style.js';
import type { View } from './view.js';

/** The board of a job at the lower end of a terminal; what must not be missed stands above it, and stays. */
export class BoardView implements View {
  readonly #progress = new Progress();
  readonly #paced: Paced;
  #notice: string | undefined;

  constructor(terminal: WriteStream) {
    const style = makeStyle(terminal.hasColors());
    this.#paced = new Paced(terminal, () =>
      boardLines(this.#progress, {
        columns: terminal.columns || 80,
        rows: terminal.rows || 24,
        nowMs: Date.now(),
        style,
        notice: this.#notice,
      }),
    );
  }

  show(message: SseMessage): void {
    this.#notice = undefined;
    const line = this.#lineOf(message);
    if (line === undefined) this.#paced.change();
    else this.#paced.say(line);
  }

  broke(error: Error | undefined): void {
    this.#notice = `the stream broke off${error ? ` (${error.message})` : ''}; opening it again …`;
    this.#paced.change();
  }

  opened(): void {
    if (this.#notice === undefined) return;
    this.#notice = undefined;
    this.#paced.change();
  }

  finish(): void {
    this.#paced.end();
  }

  end(): void {
    this.#paced.end();
  }

  #lineOf(message: SseMessage): string | undefined {
    const event = eventOf(message);
    if (event === undefined || !this.#add(event)) return eventLine(message);
    return isWorthALine(event) ? logLine(event) : undefined;
  }

  /** An event that does not go with the others (a newer API's) is shown as a line; the board goes on without it. */
  #add(event: JournalEvent): boolean {
    try {
      this.#progress.add(event);
      return true;
    } catch {
      return false;
    }
  }
}

/** What went wrong and what people did: should be found by scrolling up, when the board has moved on. */
function isWorthALine(event: JournalEvent): boolean {
  switch (event.type) {
    case 'step-retried':
    case 'step-failed':
    case 'undo-failed':
    case 'left':
    case 'handed-back':
    case 'asked':
    case 'held':
    case 'given-back':
      return true;
    case 'log':
      return event.level !== 'info';
    default:
      return false;
  }
}
