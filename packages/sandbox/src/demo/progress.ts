/** Shows a deployment's events on stderr while it runs, one line per step. */
import type { JournalEvent } from '@rexdeploy/shared/journal/events';
import { humanSize } from '@rexdeploy/shared/units';

const PROGRESS_EVERY_MS = 1000;

export class Progress {
  readonly #startedAt = Date.now();
  /** When a terminal is there, the line of a transfer is written over instead of repeated. */
  readonly #terminal: boolean;
  readonly #shown = new Map<string, number>();
  #open = false;

  constructor(readonly output: NodeJS.WriteStream) {
    this.#terminal = output.isTTY === true;
  }

  say(text: string): void {
    this.#line(text, true);
  }

  show(event: JournalEvent): void {
    if (event.type === 'step-progress') this.#showTransfer(event);
    else {
      const text = describeEvent(event);
      if (text !== undefined) this.#line(text, true);
    }
  }

  #showTransfer(event: Extract<JournalEvent, { type: 'step-progress' }>): void {
    const key = `${event.instance} ${event.step}`;
    const now = Date.now();
    const finished = event.bytes >= event.bytesTotal;
    if (!this.#terminal && !finished && now - (this.#shown.get(key) ?? 0) < PROGRESS_EVERY_MS) return;
    this.#shown.set(key, now);
    const share = `${humanSize(event.bytes)} of ${humanSize(event.bytesTotal)}`;
    this.#line(scoped(event, share), !this.#terminal);
  }

  #line(text: string, complete: boolean): void {
    const seconds = ((Date.now() - this.#startedAt) / 1000).toFixed(1).padStart(6);
    const before = this.#open ? '\r\u001b[K' : '';
    this.output.write(`${before}${seconds}s  ${text}${complete ? '\n' : ''}`);
    this.#open = !complete;
  }
}

/** One line for an event, or undefined for what only says that a step begins. */
export function describeEvent(event: JournalEvent): string | undefined {
  switch (event.type) {
    case 'accepted':
      return `accepted ${event.id}: ${event.request.batches.map((batch) => batch.join(' + ')).join(', then ')}`;
    case 'claimed':
      return `worker ${event.worker} took it`;
    case 'package-resolved':
      return `package from ${event.origin}: ${event.files} files, ${humanSize(event.size)}`;
    case 'batch-started':
      return `batch ${event.batch + 1}`;
    case 'batch-failed':
      return `batch ${event.batch + 1} failed: ${event.message}`;
    case 'step-done':
      return scoped(event, `done in ${event.ms} ms`);
    case 'step-retried':
      return scoped(event, `try ${event.attempt} in ${event.delayMs} ms: ${event.error.what}`);
    case 'step-failed':
      return scoped(event, `failed: ${event.error.what}`);
    case 'undo-done':
      return scoped(event, 'undone');
    case 'undo-failed':
      return scoped(event, `could not be undone: ${event.error.what}`);
    case 'log':
      return event.level === 'info' ? undefined : `${event.level}: ${event.message}`;
    case 'finished':
      return event.error === undefined ? event.state : `${event.state}: ${event.error.what}`;
    default:
      return undefined;
  }
}

function scoped(event: { instance: string; step: string }, text: string): string {
  return `${event.instance.padEnd(10)} ${event.step.padEnd(10)} ${text}`;
}
