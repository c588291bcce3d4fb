import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import type { RemoteScript, Transport } from '@rexdeploy/ssh/transport';
import { bad, type Observation, observe } from './check.js';

/** For a script that is ended by its own limit first, and for the way there. */
const MARGIN_MS = 5_000;
/** Most of what a check wrote that is repeated, in characters. */
const SHOWN = 500;

/** Runs a check on a host. @returns its stdout, or the observation when it could not be run or did not end with 0 */
export async function runOnHost(
  connect: () => Promise<Transport>,
  script: RemoteScript,
  args: readonly string[],
  { input, timeout, signal }: { input: string; timeout: number; signal: AbortSignal },
): Promise<{ stdout: string } | Observation> {
  try {
    const transport = await connect();
    return await transport.run(script, args, { input, signal, timeoutMs: timeout + MARGIN_MS });
  } catch (error) {
    if (!(error instanceof CommandError) || signal.aborted) return observe(error, signal);
    if (error.exitCode === null) return bad(error.what);
    const written = error.stderrTail.trim();
    return bad(`exit code ${error.exitCode}${written === '' ? '' : `: ${written.slice(-SHOWN)}`}`);
  }
}
