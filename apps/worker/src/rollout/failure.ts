import { CancelledError, RolloutError, type StepError } from '@rexdeploy/shared/errors/deployment-errors';
import type { ErrorRecord, RexError } from '@rexdeploy/shared/errors/rex-error';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import { drainedIn } from '@rexdeploy/shared/journal/ledger';
import { standing } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, type InstanceState, isDone } from '@rexdeploy/shared/journal/state';

/** All wording of what a roll-out that ended badly left behind. */

/** What became of an instance of a batch that failed or was cancelled. */
export interface Outcome {
  key: string;
  /** Absent where nothing failed and the deployment was cancelled. */
  error: StepError | undefined;
  /** One line for each thing that could not be put back. */
  left: string[];
  /** Left as it is on purpose. */
  halted: boolean;
}

/**
 * Why a deployment ends that could not be walked to its end, such as one whose instances are configured otherwise by now,
 * with whatever it had taken out and nobody got to bring back.
 * @returns the error for people, and an event for each such instance
 */
export function endUntold(state: DeploymentState, error: RexError): { error: ErrorRecord; events: NewEvent[] } {
  const untold = drainedIn(state).filter(({ instance }) => state.instances[instance]?.left === undefined);
  if (untold.length === 0) return { error: error.toRecord(), events: [] };
  const out = untold.map(({ instance, exact }) => (exact.trim() === '' ? instance : `${instance} (${exact.trim()})`));
  return {
    error: { ...error.toRecord(), what: `${error.what}; left out of rotation: ${out.join(', ')}` },
    events: untold.map(({ instance }) => ({ type: 'left', instance, why: error.message })),
  };
}

/** A release did not get onto a host: nothing had been touched. */
export function stagingFailure(error: StepError, left: string[]): RolloutError {
  return new RolloutError({
    what: `${failed(error)}; no instance was taken out of rotation, stopped or switched${leftovers(left)}`,
    cause: error,
  });
}

/**
 * One or more instances of a batch failed and were brought back, or not.
 * @param notBack what `rollback_all` could not bring back of other batches
 */
export function batchFailure(
  state: DeploymentState,
  outcomes: readonly Outcome[],
  notBack: readonly string[],
  left: readonly string[],
): RolloutError {
  const parts = outcomes.map((outcome) => outcomeText(state, outcome));
  const others = notBack.map((line) => `could NOT be brought back: ${line}`);
  const cause = outcomes.find(({ error }) => error !== undefined)?.error;
  return new RolloutError({ what: `${[...parts, ...others].join('; ')}${rest(state)}${leftovers(left)}`, cause });
}

/** Somebody asked to cancel, and what was under way was brought back. */
export function cancellation(state: DeploymentState, asked: string, left: readonly string[]): CancelledError {
  const failure = state.batches.findLast(({ status }) => status === 'failed')?.message;
  const what = failure === undefined ? `${asked}${rest(state)}` : `${asked}; ${failure}`;
  return new CancelledError({ what: `${what}${leftovers(left)}` });
}

function outcomeText(state: DeploymentState, { key, error, left, halted }: Outcome): string {
  const why = error === undefined ? `${key} was cancelled` : failed(error);
  const found = state.instances[key]?.left;
  const stands = found === undefined ? '' : standing(found);
  if (halted) return `${why}; ${key} was left as it is, because on_failure is halt${stands}`;
  if (left.length > 0) return `${why}; ${key} could NOT be brought back${stands}: ${left.join('; ')}`;
  const back = state.request.action === 'release' ? 'its former release' : 'its former release and weight';
  return `${why}; ${key} was brought back to ${back}`;
}

const TOUCHING: ReadonlySet<string> = new Set(['drain', 'switch']);

/** What has the new release, what had it, and what nobody touched. */
function rest(state: DeploymentState): string {
  const all = state.request.batches.flat();
  const of = (test: (instance: InstanceState | undefined) => boolean): string[] =>
    all.filter((key) => test(state.instances[key]));
  const parts = [
    ['on the new release', of(isDone)],
    ['taken back to the former release', of((instance) => instance?.takenBack === true)],
    [
      'not touched',
      of((instance) => !isDone(instance) && !(instance?.steps.some(({ step }) => TOUCHING.has(step)) ?? false)),
    ],
  ] as const;
  return parts.map(([what, keys]) => (keys.length === 0 ? '' : `; ${what}: ${keys.join(' ')}`)).join('');
}

const failed = (error: StepError): string => `${error.instance} failed at ${error.step}: ${error.what}`;

const leftovers = (left: readonly string[]): string => (left.length === 0 ? '' : `; left over: ${left.join('; ')}`);

/** Did a step fail, or was one undone? Such a roll-out can only be brought back. */
export function hasFailed(state: DeploymentState): boolean {
  return Object.values(state.instances).some((instance) =>
    instance.steps.some((step) => step.status !== 'running' && step.status !== 'done'),
  );
}
