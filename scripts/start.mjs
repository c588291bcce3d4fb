/** API and one worker in one process group; ends with either of them, and takes the other along. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORKER_FLAGS } from './worker-flags.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** A worker ends the batch it has; one that hangs must not keep the group for ever. */
const KILL_AFTER_MS = 10 * 60_000;

const running = new Map();
let stopping = false;
let exitCode = 0;

for (const [app, flags] of Object.entries({ api: [], worker: WORKER_FLAGS })) {
  const words = [...flags, join(ROOT, 'apps', app, 'dist/bundle/main.js')];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  running.set(app, child);
  child.once('error', (error) => ended(app, `cannot be started: ${error.message}`, 1));
  child.once('exit', (code, signal) =>
    ended(app, signal ?? `exit code ${code}`, code ?? 128 + constants.signals[signal]),
  );
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

/** From a terminal the children got the signal as well; TERM once more is the same wish. */
function stop() {
  if (stopping) return;
  stopping = true;
  for (const child of running.values()) child.kill('SIGTERM');
  setTimeout(() => {
    for (const child of running.values()) child.kill('SIGKILL');
  }, KILL_AFTER_MS).unref();
}

function ended(app, how, code) {
  if (!running.delete(app)) return;
  if (!stopping) {
    process.stderr.write(`rexdeploy: the ${app} ended (${how})${running.size > 0 ? '; stopping the other' : ''}\n`);
    exitCode = code || 1;
    stop();
  } else if (code !== 0 && exitCode === 0) exitCode = code;
  if (running.size === 0) process.exit(exitCode);
}
