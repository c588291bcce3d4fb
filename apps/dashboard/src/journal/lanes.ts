import {
  type BatchState,
  type DeploymentState,
  type InstanceState,
  isDone,
  isTerminal,
  type StepState,
} from '@rexdeploy/shared/journal/state';

/** What the page draws of a deployment: batches, in them a lane for each instance, on it a bar for each step. */

export type LaneStatus = 'waiting' | 'ready' | 'running' | 'done' | 'unchanged' | 'back' | 'failed' | 'left';

export interface Bar {
  step: StepState;
  /** Shares of the whole time, 0 to 1. */
  from: number;
  to: number;
}

export interface Lane {
  instance: string;
  host: string | undefined;
  status: LaneStatus;
  state: InstanceState | undefined;
  bars: Bar[];
  /** While it was out of rotation by this deployment. */
  out: { from: number; to: number; ms: number; open: boolean } | undefined;
}

export interface LaneBatch {
  batch: BatchState;
  /** From 1. */
  number: number;
  lanes: Lane[];
}

/** @param nowMs end of what has not ended */
export function lanesOf(state: DeploymentState, nowMs: number): LaneBatch[] {
  const steps = Object.values(state.instances).flatMap((instance) => instance.steps);
  const fromMs = Math.min(...steps.map((step) => step.startedMs), isTerminal(state.state) ? state.lastMs : nowMs);
  const toMs = isTerminal(state.state) ? state.lastMs : Math.max(nowMs, state.lastMs);
  const share = (ms: number): number =>
    toMs <= fromMs ? 0 : Math.min(1, Math.max(0, (ms - fromMs) / (toMs - fromMs)));

  const lane = (key: string): Lane => {
    const instance = state.instances[key];
    const bars = (instance?.steps ?? []).map((step) => ({
      step,
      from: share(step.startedMs),
      to: share(step.endedMs ?? toMs),
    }));
    const span = outOfRotation(instance, toMs);
    return {
      instance: key,
      host: state.plan?.instances.find((plan) => plan.instance === key)?.host,
      status: statusOf(instance, state),
      state: instance,
      bars,
      out:
        span === undefined
          ? undefined
          : { from: share(span.from), to: share(span.to), ms: span.to - span.from, open: span.open },
    };
  };
  return state.batches.map((batch, at) => ({ batch, number: at + 1, lanes: batch.instances.map(lane) }));
}

function statusOf(instance: InstanceState | undefined, { state }: DeploymentState): LaneStatus {
  if (instance === undefined) return 'waiting';
  if (instance.left !== undefined) return 'left';
  if (instance.unchanged === true) return 'unchanged';
  if (isDone(instance)) return 'done';
  const has = (...statuses: StepState['status'][]) => instance.steps.some(({ status }) => statuses.includes(status));
  if (has('undo-failed')) return 'failed';
  if (has('running', 'undoing') && !isTerminal(state)) return 'running';
  // A package that was only laid beside and removed again did not touch the instance.
  if (instance.steps.some(({ step, status }) => status === 'undone' && step !== 'stage')) return 'back';
  if (has('failed')) return 'failed';
  if (instance.steps.length === 0 || isTerminal(state)) return 'waiting';
  // Packages travel ahead of their turn.
  return instance.steps.every(({ step }) => step === 'stage' || step === 'look') ? 'ready' : 'running';
}

/** From the drain to the end of the restore, or of the drain's undo. */
function outOfRotation(instance: InstanceState | undefined, toMs: number) {
  const find = (name: string) => instance?.steps.find(({ step }) => step === name);
  const drain = find('drain');
  // One that was out before was not taken out by us.
  if (drain === undefined || drain.status === 'failed' || drain.found.in === false) return undefined;
  const end = drain.status === 'undone' ? drain.endedMs : find('restore')?.endedMs;
  return { from: drain.startedMs, to: end ?? toMs, open: end === undefined };
}
