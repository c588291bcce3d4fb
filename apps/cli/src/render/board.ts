import { whyWaiting } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, isDone, isTerminal } from '@rexdeploy/shared/journal/state';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { bar } from './bar.js';
import { clock } from './duration.js';
import { type InstanceRow, instanceRow, type Tone } from './instance-row.js';
import type { Progress } from './progress.js';
import type { Style } from './style.js';

export interface BoardOptions {
  columns: number;
  rows: number;
  nowMs: number;
  style: Style;
  /** What keeps the board from being up to date. */
  notice?: string | undefined;
}

const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;
/** Below this many columns the text is worth more than the bar. */
const NARROW = 50;

/** The view of a job on a terminal: a head, then a line per instance, never more and never wider than the screen. */
export function boardLines(progress: Progress, options: BoardOptions): string[] {
  const { state } = progress;
  const { columns, rows, style } = options;
  const notice = options.notice === undefined ? [] : [style.yellow(options.notice)];
  if (state === undefined) return notice.map((line) => fit(line, columns));
  const body = instanceLines(progress, state, options);
  // One line for the head, one where the cursor rests.
  const lines = [head(state, options), ...shorten(body, Math.max(1, rows - 2 - notice.length), style), ...notice];
  return lines.map((line) => fit(line, columns));
}

/** A line that fills the last column makes some terminals begin the next one. */
const fit = (line: string, columns: number): string => cliTruncate(line, Math.max(1, columns - 1));

function head(state: DeploymentState, { nowMs, style }: BoardOptions): string {
  const { id, request } = state;
  const keys = state.batches.flatMap(({ instances }) => instances);
  const done = keys.filter((key) => isDone(state.instances[key]) || key in state.differences || key in state.checks);
  const untilMs = isTerminal(state.state) ? state.lastMs : Math.max(nowMs, state.lastMs);
  const what = `${request.action}${request.dryRun ? ' (dry run)' : ''} ${request.k}`;
  return [
    style.bold(what),
    stateText(state, style),
    ...(keys.length === 0 ? [] : [`${done.length}/${keys.length} done`]),
    clock(untilMs - state.acceptedMs),
    // Last, because it stands above the board already, and a narrow screen cuts off what is last.
    id,
  ].join('  ');
}

function stateText(state: DeploymentState, style: Style): string {
  const asked = state.asked === undefined ? '' : `, ${state.asked.control} asked for by ${state.asked.by}`;
  switch (state.state) {
    case 'queued':
      return style.yellow(state.waiting === undefined ? `queued${asked}` : `queued: ${whyWaiting(state.waiting)}`);
    case 'running':
      return style.cyan(`running${asked}`);
    case 'held':
      return style.yellow(`held, goes on with: rex resume ${state.id}`);
    case 'succeeded':
      return style.green('succeeded');
    case 'failed':
    case 'cancelled':
      return style.red(state.state);
  }
}

interface Line {
  text: string;
  batch: number;
  isBusy: boolean;
}

function instanceLines(progress: Progress, state: DeploymentState, options: BoardOptions): Line[] {
  const rows = state.batches.map(({ instances }) =>
    instances.map((key) => instanceRow(progress, key, Math.max(options.nowMs, state.lastMs))),
  );
  const keyWidth = Math.max(...rows.flat().map(({ instance }) => instance.length), 0);
  const ofWidth = String(rows.length).length;
  return rows.flatMap((batch, index) =>
    batch.map((row, place) => {
      const label = place === 0 ? `${String(index + 1).padStart(ofWidth)}/${rows.length}` : '';
      const first = options.style.dim(label.padEnd(2 * ofWidth + 1));
      const isBusy = row.tone === 'moving' || row.tone === 'back' || row.tone === 'bad';
      return { text: `${first} ${rowText(row, keyWidth, options)}`, batch: index, isBusy };
    }),
  );
}

function rowText(row: InstanceRow, keyWidth: number, { columns, style }: BoardOptions): string {
  const barWidth = Math.max(NARROWEST_BAR, Math.min(WIDEST_BAR, Math.floor(columns / 4)));
  const paint = style[COLOUR[row.tone]];
  const took = row.tookMs === undefined ? '' : clock(row.tookMs);
  const shown = columns < NARROW ? [] : [bar(row.share, barWidth, paint, style)];
  return [row.instance.padEnd(keyWidth), ...shown, took.padStart(5), paint(oneLine(row.text))].join(' ');
}

const COLOUR: Readonly<Record<Tone, Exclude<keyof Style, 'bold'>>> = {
  waiting: 'dim',
  moving: 'cyan',
  good: 'green',
  bad: 'red',
  back: 'yellow',
};

/** What commands said may hold line breaks, and what a terminal takes for orders. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, ' ');

/** Where the screen is too low, what moves stays in sight. */
function shorten(lines: readonly Line[], most: number, style: Style): string[] {
  if (lines.length <= most) return lines.map(({ text }) => text);
  const busy = lines.findIndex(({ isBusy }) => isBusy);
  const room = Math.max(1, most - 2);
  const from = Math.max(0, Math.min(busy === -1 ? 0 : busy, lines.length - room));
  const shown = lines.slice(from, from + room).map(({ text }) => text);
  const above = from;
  const below = lines.length - from - room;
  const more = (count: number, where: string): string[] => (count === 0 ? [] : [style.dim(`… ${count} more ${where}`)]);
  return [...more(above, 'above'), ...shown, ...more(below, 'below')].slice(0, most);
}

/** Columns that the line takes on a terminal. */
export const widthOf = (line: string): number => stringWidth(line);
