import { note, print } from '../output.js';
import type { SseMessage } from '../sse.js';
import { boardTerminal } from './board-terminal.js';
import { BoardView } from './board-view.js';
import { eventLine } from './event-line.js';

/** How a job is shown while it goes on. */
export interface View {
  show(message: SseMessage): void;
  /** The stream broke, and is being opened again. */
  broke(error: Error | undefined): void;
  /** It is open again. */
  opened(): void;
  /** The last message: its data is the final answer. */
  finish(message: SseMessage): void;
  /** Gives back what it took of the terminal, whatever happened. May be called again. */
  end(): void;
}

/** `text`: for people, as well as stderr can show it. `lines`: a JSON document per event on stdout, for programs. */
export type ViewKind = 'text' | 'lines';

/** A board where stderr is a terminal that can be written over, else a line per event. */
export function openView(kind: ViewKind): View {
  if (kind === 'lines') return jsonLines;
  const terminal = boardTerminal();
  return terminal === undefined ? plainLines : new BoardView(terminal);
}

const breakNote = (error: Error | undefined): void =>
  note(`rex: the stream broke off${error ? ` (${error.message})` : ''}; opening it again`);
const nothing = (): void => undefined;

const plainLines: View = {
  show: (message) => note(eventLine(message)),
  broke: breakNote,
  opened: nothing,
  finish: nothing,
  end: nothing,
};

const jsonLines: View = {
  // As it came, so that what a newer API tells gets through; a message never holds a line break but between its fields.
  show: (message) => print(message.data.replaceAll('\n', ' ')),
  broke: breakNote,
  opened: nothing,
  finish: (message) => print(message.data.replaceAll('\n', ' ')),
  end: nothing,
};
