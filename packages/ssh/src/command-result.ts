import type { CommandEnd } from './command-end.js';
import type { CommandLife } from './command-life.js';
import type { StdoutSink } from './stdout-sink.js';
import type { RunOptions, RunResult } from './transport.js';

/**
 * What a command that has ended came to, once all of its stdout is delivered.
 *
 * @throws CommandError for a signal and for a code outside `okCodes`; ConnectionError when nobody knows how it ended
 */
export async function resultOf(
  { code, signal }: CommandEnd,
  sink: StdoutSink,
  life: CommandLife,
  { okCodes = [0] }: RunOptions,
): Promise<RunResult> {
  const { report } = life;
  if (signal !== null) throw report.signalled(signal);
  if (code === null) throw report.unknownEnd();
  if (!okCodes.includes(code)) throw report.exited(code);
  const stdout = await life.race(sink.finish());
  const { durationMs } = report;
  return { code, stdout: stdout ?? report.stdoutTail.text(), stderr: report.stderr.text(), durationMs };
}
