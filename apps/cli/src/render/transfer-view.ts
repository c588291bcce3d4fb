import { humanSize } from '@rexdeploy/shared/units';
import cliTruncate from 'cli-truncate';
import { bar } from './bar.js';
import { boardTerminal } from './board-terminal.js';
import { clock } from './duration.js';
import { Paced } from './paced.js';
import { Rate } from './rate.js';
import { makeStyle } from './style.js';

/** One transfer of a file, as the person sees it who waits for it. */
export interface TransferView extends Disposable {
  /** @param whenAllSent what goes on when the last byte has gone */
  begin(label: string, total: number, whenAllSent?: string): void;
  add(bytes: number): void;
  /** Gives back what it took of the terminal. May be called again. */
  end(): void;
}

const BAR_WIDTH = 30;

/** A bar on a terminal; nothing where there is none, because lines would say no more than the result does. */
export function openTransferView(): TransferView {
  const terminal = boardTerminal();
  const nothing = (): void => undefined;
  if (terminal === undefined) return { begin: nothing, add: nothing, end: nothing, [Symbol.dispose]: nothing };
  const style = makeStyle(terminal.hasColors());
  let now = { label: '', total: 0, done: 0, startMs: 0, after: '', rate: new Rate() };
  const paced = new Paced(terminal, () => {
    const { label, total, done, startMs, after, rate } = now;
    const share = total === 0 ? 1 : done / total;
    const speed = rate.perSecond();
    const text =
      done >= total && after !== ''
        ? after
        : `${humanSize(done)} of ${humanSize(total)}${speed === undefined ? '' : `, ${humanSize(speed)}/s`}`;
    const line = `${label} ${bar(share, BAR_WIDTH, style.cyan, style)} ${clock(performance.now() - startMs)} ${text}`;
    return [cliTruncate(line, Math.max(1, (terminal.columns || 80) - 1))];
  });
  const end = (): void => paced.end();
  return {
    begin(label, total, whenAllSent = '') {
      now = { label, total, done: 0, startMs: performance.now(), after: whenAllSent, rate: new Rate() };
      paced.change();
    },
    add(bytes) {
      now.done += bytes;
      now.rate.add(performance.now(), now.done);
      paced.change();
    },
    end,
    [Symbol.dispose]: end,
  };
}
