import { RolloutError, type StepError } from '@rexdeploy/shared/errors/deployment-errors';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';

/** All wording of what a failed roll-out left behind. */

interface Outcome {
  error: StepError;
  /** One line for each thing that could not be put back. */
  left: string[];
}

/** A release did not get onto a host: nothing had been touched. */
export function stagingFailure(error: StepError, left: string[]): RolloutError {
  return new RolloutError({
    what: `${failed(error)}; no instance was taken out of rotation, stopped or switched${leftovers(left)}`,
    cause: error,
  });
}

/** One or more instances of a batch failed and were brought back, or not. */
export function batchFailure(state: DeploymentState, outcomes: readonly Outcome[], left: string[]): RolloutError {
  const parts = outcomes.map(({ error, left: own }) =>
    own.length === 0
      ? `${failed(error)}; ${error.instance} was brought back to its former release and weight`
      : `${failed(error)}; ${error.instance} could NOT be brought back: ${own.join('; ')}`,
  );
  const done = finished(state);
  const untouched = state.request.batches
    .flat()
    .filter((key) => !done.includes(key) && !outcomes.some(({ error }) => error.instance === key));
  const rest = [
    done.length > 0 ? `on the new release: ${done.join(' ')}` : '',
    untouched.length > 0 ? `not touched: ${untouched.join(' ')}` : '',
  ].filter((part) => part !== '');
  const summary = rest.length === 0 ? '' : `; ${rest.join('; ')}`;
  return new RolloutError({ what: `${parts.join('; ')}${summary}${leftovers(left)}`, cause: outcomes[0]?.error });
}

const failed = (error: StepError): string => `${error.instance} failed at ${error.step}: ${error.what}`;

const finished = (state: DeploymentState): string[] =>
  Object.values(state.instances)
    .filter((instance) => instance.record !== undefined)
    .map((instance) => instance.instance);

const leftovers = (left: readonly string[]): string => (left.length === 0 ? '' : `; left over: ${left.join('; ')}`);

/** Did a step fail, or was one undone? Such a roll-out can only be brought back. */
export function hasFailed(state: DeploymentState): boolean {
  return Object.values(state.instances).some((instance) =>
    instance.steps.some((step) => step.status !== 'running' && step.status !== 'done'),
  );
}
