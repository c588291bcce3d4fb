import type { ErrorRecord } from '@rexdeploy/shared/errors/rex-error';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';

export interface Failure {
  what: string;
  /** Instance, step and host, or what the error itself says. */
  where: string | undefined;
  whatToDo: string | undefined;
  /** Of the cause; what there is to do depends on it. */
  code: string;
  /** The sentence that ended the deployment, where it tells more. */
  whole: string | undefined;
}

/** Why a deployment ended as it did: the cause, which the step that failed tells best. */
export function failureOf(state: DeploymentState): Failure | undefined {
  const { error } = state;
  if (error === undefined || (state.state !== 'failed' && state.state !== 'cancelled')) return undefined;
  const cause = state.state === 'failed' ? firstFault(state) : undefined;
  if (cause === undefined) return { ...partsOf(error), where: error.where, whole: undefined };
  const host = state.plan?.instances.find(({ instance }) => instance === cause.instance)?.host;
  const where = [cause.instance, cause.step, host, cause.error.where].filter((part) => part !== undefined);
  return {
    ...partsOf(cause.error),
    where: [...new Set(where)].join(' · '),
    whatToDo: cause.error.whatToDo ?? error.whatToDo,
    whole: error.what,
  };
}

const partsOf = ({ what, whatToDo, code }: ErrorRecord) => ({ what, whatToDo, code });

/** The error that came first: what follows from it is told with the instances. */
function firstFault({
  instances,
}: DeploymentState): { instance: string; step: string; error: ErrorRecord } | undefined {
  return Object.values(instances)
    .flatMap(({ instance, steps }) =>
      steps.flatMap(({ step, error, startedMs }) =>
        error === undefined ? [] : [{ instance, step, error, startedMs }],
      ),
    )
    .sort((a, b) => a.startedMs - b.startedMs)[0];
}
