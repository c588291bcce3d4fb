import type { TruthRow } from '@rexdeploy/shared/api/routes/names';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { NO_ROLLOUT } from '@rexdeploy/shared/deployments/no-rollout';
import type { ObservedInstance } from '@rexdeploy/shared/journal/events';
import { type DeploymentState, type InstanceState, isDone, type StepState } from '@rexdeploy/shared/journal/state';

/**
 * The same row with what was seen on the host and in the balancer in place of what the journals tell.
 * @param seen absent where the instance was not looked at
 */
export function observedRow(row: TruthRow, seen: ObservedInstance | undefined): TruthRow {
  return {
    ...row,
    linked: seen?.linked ?? UNKNOWN,
    answering: seen?.answering ?? UNKNOWN,
    in_rotation: asFlag(seen?.in),
    rotation: seen?.rotation ?? UNKNOWN,
    health: seen?.health ?? UNKNOWN,
    processes: seen?.processes === undefined ? UNKNOWN : String(seen.processes),
    lock: seen?.lock ?? UNKNOWN,
    error: seen === undefined ? 'not looked at' : seen.errors.join('; '),
  };
}

type Flag = TruthRow['in_rotation'];
/** Not known. */
const UNKNOWN = {};

/**
 * What the journals tell of one instance; the host itself is not asked. `{}` stands for not known.
 * @param states deployments of the name, newest first
 */
export function truthRow(instance: ResolvedInstance, states: readonly DeploymentState[]): TruthRow {
  const { key, host } = instance;
  const own = states.filter((state) => !state.request.dryRun && state.request.batches.flat().includes(key));
  const last = own.find(({ request }) => !NO_ROLLOUT.has(request.action)) ?? own[0];
  const touched = own.find((state) => stepOf(state, key, 'switch') !== undefined);
  const recorded = own.find((state) => isDone(state.instances[key]));
  const record = recorded?.instances[key]?.record;
  const linked = touched === undefined ? undefined : linkedAfter(touched, key);
  return {
    instance: key,
    host,
    should_run: record?.program.after ?? UNKNOWN,
    linked: linked ?? UNKNOWN,
    answering:
      (touched !== undefined && isProven(touched, key) && !isStopped(own, key) ? linked : undefined) ?? UNKNOWN,
    in_rotation: inRotation(own, key),
    former: record?.program.real ?? UNKNOWN,
    last_deployment: last?.id ?? UNKNOWN,
    last_state: last?.state ?? UNKNOWN,
    at: last === undefined ? UNKNOWN : new Date(last.lastMs).toISOString(),
  };
}

function stepOf(state: DeploymentState, key: string, step: string): StepState | undefined {
  return state.instances[key]?.steps.find((each) => each.step === step);
}

/** Where the link leads after a deployment that touched it; undefined while that is under way or went wrong. */
function linkedAfter(state: DeploymentState, key: string): string | undefined {
  const instance: InstanceState | undefined = state.instances[key];
  if (isDone(instance)) return instance?.record?.program.after;
  if (instance?.left !== undefined) return instance.left.linked;
  const status = stepOf(state, key, 'switch')?.status;
  if (status === 'done') return state.plan?.instances.find((plan) => plan.instance === key)?.programRelease;
  return status === 'undone' ? realPath(stepOf(state, key, 'guard')?.found.program) : undefined;
}

function realPath(side: unknown): string | undefined {
  if (side === null || typeof side !== 'object' || !('real' in side)) return undefined;
  return typeof side.real === 'string' ? side.real : undefined;
}

/** What is linked was seen to answer: verified after the switch, or started again by the undo. */
const isProven = (state: DeploymentState, key: string): boolean =>
  stepOf(state, key, 'verify')?.status === 'done' || stepOf(state, key, 'switch')?.status === 'undone';

/** Was it stopped since a roll-out or a start last brought it up? */
function isStopped(states: readonly DeploymentState[], key: string): boolean {
  const last = states.find((state) => ['switch', 'service'].some((step) => stepOf(state, key, step) !== undefined));
  const service = last === undefined ? undefined : stepOf(last, key, 'service');
  return service !== undefined && (service.status !== 'done' || last?.request.service === 'stop');
}

/** `1`, `0`, or unknown where no step tells. */
function inRotation(states: readonly DeploymentState[], key: string): Flag {
  for (const state of states) {
    const weigh = stepOf(state, key, 'weigh');
    if (weigh?.status === 'done') return asFlag(weigh.facts.in);
    const drain = stepOf(state, key, 'drain');
    if (drain === undefined) continue;
    if (stepOf(state, key, 'restore')?.status === 'done' || drain.status === 'undone') return asFlag(drain.found.in);
    return drain.status === 'done' ? '0' : UNKNOWN;
  }
  return UNKNOWN;
}

const asFlag = (value: unknown): Flag => (typeof value === 'boolean' ? (value ? '1' : '0') : UNKNOWN);
