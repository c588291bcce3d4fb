import { execFile } from 'node:child_process';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import type { Transport } from '@rexdeploy/ssh/transport';

/** Runs scripts on this machine, for tests of what a script says; `uid`: as that user. */
export function localHost(uid?: number): Transport {
  return {
    host: '127.0.0.1',
    alive: true,
    run: ({ text, name }, args) =>
      new Promise((resolve, reject) => {
        const words = ['-c', text, `rex:${name}:test`, ...args];
        const options = { cwd: '/', ...(uid === undefined ? {} : { uid, gid: uid }) };
        execFile('sh', words, options, (error, stdout, stderr) => {
          if (error === null) return resolve({ code: 0, stdout, stderr, durationMs: 0 });
          const exitCode = typeof error.code === 'number' ? error.code : null;
          reject(new CommandError({ host: '127.0.0.1', what: stderr, exitCode, stderrTail: stderr }));
        });
      }),
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
