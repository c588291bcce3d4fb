import type { CommandEnd } from './command-end.js';
import type { CommandLife } from './command-life.js';
import { resultOf } from './command-result.js';
import type { KeptShell } from './kept-shell.js';
import type { Link } from './link.js';
import type { ShellSlot } from './shell-slot.js';
import { stdoutSink } from './stdout-sink.js';
import type { KeptScript, RemoteScript, RunOptions, RunResult } from './transport.js';

/** The shell that is kept open, where the script may run in it and nothing else does; until it is run. */
export async function takeShell(
  link: Link,
  { kept }: RemoteScript,
  life: CommandLife,
  { input, output }: RunOptions,
): Promise<KeptRun | undefined> {
  // As root nothing is kept: each command of ours stands in sudo's log.
  if (kept === undefined || input !== undefined || output !== undefined || link.sudo) return undefined;
  life.check();
  const taking = link.shell.take(kept.texts);
  const shell = await life.race(taking).catch((error: unknown) => {
    taking.then((unused) => unused && link.shell.giveBack());
    throw error;
  });
  return shell && { shell, kept };
}

/** A shell, and how it knows the script. */
export interface KeptRun {
  readonly shell: KeptShell;
  readonly kept: KeptScript;
}

/**
 * Runs it there; see `Transport.run`.
 *
 * @returns undefined when the shell has ended before it was one, so that nothing was run: why tells a session of its own
 */
export async function runKept(
  slot: ShellSlot,
  { shell, kept }: KeptRun,
  args: readonly string[],
  life: CommandLife,
  options: RunOptions,
): Promise<RunResult | undefined> {
  const { report } = life;
  const noDrain = () => {};
  const sink = stdoutSink(options, noDrain, noDrain);
  const arrived = (take: () => void): void => {
    life.arrived();
    try {
      take();
    } catch (error) {
      life.stop(report.broken('output', error));
    }
  };
  report.runsIn(shell.mark);
  let end: CommandEnd | undefined;
  try {
    const ending = shell.run(kept, args, {
      onStdout: (piece) =>
        arrived(() => {
          report.stdoutTail.push(piece);
          sink.write(piece);
        }),
      onStderr: (piece) => arrived(() => report.stderr.push(piece)),
    });
    end = await life.race(ending);
    if (end.code === null && !shell.hasBegun) {
      slot.refuse();
      sink.abandon();
      report.startsOver();
      return undefined;
    }
    return await resultOf(end, sink, life, options);
  } catch (error) {
    sink.abandon();
    throw error;
  } finally {
    if (end === undefined) shell.kill();
    slot.giveBack();
  }
}
