import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import type { RemoteScript } from '@rexdeploy/ssh/transport';

const HERE = 'this machine';
const OUTPUT_CHARACTERS = 64 * 1024;
/** For output still on its way. Something left in the background may hold it open, and is not waited for. */
const LAST_OUTPUT_MS = 200;

/** Runs a script on the worker's own machine, as `Transport.run` does on a host. */
export async function runHere(
  script: RemoteScript,
  input: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  signal.throwIfAborted();
  // A process group of its own, so that whatever it started can be ended with it.
  const child = spawn('sh', ['-c', script.text, `rex:${script.name}`], { detached: true, cwd: '/' });
  const closed = once(child, 'close').catch(() => undefined);
  const output = collect(child);
  child.stdin.on('error', () => undefined); // it may end without reading everything
  child.stdin.end(input);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const failed = (what: string, facts: { timedOut?: boolean; signal?: string } = {}): CommandError =>
    new CommandError({ host: HERE, what: `the command ${what}`, stderrTail: output.stderr, ...facts });
  try {
    const [code, killedBy] = (await once(child, 'exit', { signal: limit })) as [number | null, string | null];
    await Promise.race([closed, pause(LAST_OUTPUT_MS)]);
    if (code === null) throw failed(`was ended by ${killedBy}`, killedBy === null ? {} : { signal: killedBy });
    return { code, ...output };
  } catch (error) {
    if (!limit.aborted) throw error;
    endGroup(child);
    if (signal.aborted) throw signal.reason;
    throw failed(`did not end within ${timeoutMs} ms`, { timedOut: true });
  } finally {
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (piece: string) => {
      output[name] = (output[name] + piece).slice(0, OUTPUT_CHARACTERS);
    });
  }
  return output;
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
