import { HandBack } from '@rexdeploy/shared/errors/control-flow';
import { CommandError, HostError, HostLockedError } from '@rexdeploy/shared/errors/host-errors';
import type { Journal } from '@rexdeploy/shared/journal/journal';
import type { RemoteScript, RunOptions, RunResult, Transport } from '@rexdeploy/ssh/transport';
import { isFenced } from './remote-scripts.js';

/** Longest that a script waits for another one that works on the same place. */
const MUTEX_SECONDS = 300;
/** The journal was asked or written to within this time: whoever took over since has a higher number for the host. */
export const OWNED_MS = 50;
const PASSED_BY = 90;
const TAKEN_OVER = 100;
const LOCKED = 99;

/** Where a fence stands: the folder on the host (`~` = the home directory) and the name in it. */
export interface FencePlace {
  folder: string;
  name: string;
  /** `hold`: a lock of the deployment is kept there; `break`: taken from whoever has it; `check`: no lock. */
  mode: 'hold' | 'break' | 'check';
}

/** Who wants to pass. */
export interface FenceOwner {
  /** Id of this controller, to tell its locks from another's. */
  readonly controller: string;
  readonly worker: string;
  readonly journal: Pick<Journal, 'id' | 'epoch' | 'state' | 'confirm'>;
}

/**
 * A transport whose changing scripts run only while this worker owns the deployment: Redis was asked just before, and the
 * host compares the owner's number in the same script, so that a worker that froze in between changes nothing either.
 */
export function fenced(inner: Transport, place: FencePlace, owner: FenceOwner): Transport {
  return {
    host: inner.host,
    get alive() {
      return inner.alive;
    },
    run: (script, args, options) =>
      isFenced(script) ? runFenced(script, args, options) : inner.run(script, args, options),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };

  async function runFenced(script: RemoteScript, args: readonly string[], options?: RunOptions): Promise<RunResult> {
    const { controller, worker, journal } = owner;
    await journal.confirm(OWNED_MS);
    const stamp = String(Math.floor(journal.state.stampMs / 1000));
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const number = [controller, journal.id, stamp, String(journal.epoch), worker, now, String(MUTEX_SECONDS)];
    try {
      return await inner.run(script, [place.folder, place.name, place.mode, ...number, ...args], options);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const what = error.stderrTail.trim();
      if (error.exitCode === LOCKED) {
        const whatToDo = `if that controller is gone for good: action=Deploy:Db:initdb&k=${journal.state.request.name}&force=1`;
        throw new HostLockedError({ host: inner.host, what, whatToDo, cause: error });
      }
      if (error.exitCode !== PASSED_BY && error.exitCode !== TAKEN_OVER) throw error;
      await journal.confirm();
      // Redis was set back and gives numbers again that owners had before: the next claim has the next one.
      if (error.exitCode === TAKEN_OVER)
        throw new HandBack(`a host knows a later owner than number ${journal.epoch}: ${what}`);
      throw new HostError({
        host: inner.host,
        what: `a later deployment than this one has been here: ${what}`,
        whatToDo: 'deploy again; if Redis was set back to an older state, wait until its clock has passed that number',
        cause: error,
      });
    }
  }
}
