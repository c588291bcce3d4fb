import { type RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import { isDone } from '@rexdeploy/shared/journal/state';
import { traced } from '@rexdeploy/shared/telemetry/trace';
import { retry } from '@rexdeploy/ssh/retry';
import { drain, drainFoundSchema } from '../steps/drain.js';
import { anotherServes, guard } from '../steps/guard.js';
import { look } from '../steps/look.js';
import { record } from '../steps/record.js';
import { restore } from '../steps/restore.js';
import { stage } from '../steps/stage.js';
import { switchRelease } from '../steps/switch.js';
import { verify } from '../steps/verify.js';
import { type InstanceContext, safePoint } from './context.js';
import { noteRollback } from './rollback.js';
import { type AnyStep, runSteps, stepState, undoSteps } from './step.js';

const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 15_000;

/** What happens to one instance, in order. `switch` is stop, switch and start in one trip to the host. */
const STEPS: readonly AnyStep[] = [guard, drain, switchRelease, verify, restore, record];
/** The same past the balancer: whatever is in rotation or out of it stays so, also what is out by our hand. */
const RELEASE_STEPS: readonly AnyStep[] = [guard, switchRelease, verify, record];
const stepsOf = ({ journal }: InstanceContext): readonly AnyStep[] =>
  journal.state.request.action === 'release' ? RELEASE_STEPS : STEPS;
/** From here on the instance is good: it is ended, not brought back, when somebody asks to cancel. */
const GOOD: ReadonlySet<AnyStep> = new Set<AnyStep>([restore, record]);

/** Places the release beside the current one; where it lies there already, that is only looked at. */
export async function stageInstance(context: InstanceContext): Promise<void> {
  if (context.plan.unchanged === true) return;
  const step = context.plan.present === true ? look : stage;
  await span(context, 'stage', () => runSteps(context, [step]));
}

/** Removes what staging made, where it was begun. @returns one line for each thing that is left */
export async function unstageInstance(context: InstanceContext): Promise<string[]> {
  return lines(context, await span(context, 'unstage', () => undoSteps(context, [stage])));
}

/**
 * Takes an instance through all its steps, from wherever the journal stands.
 * @throws StepError when one failed, CancelAsked when it is no longer wanted; `bringBack` is due then
 */
export function rollInstance(context: InstanceContext): Promise<void> {
  return span(context, 'roll', () => rollSteps(context));
}

async function rollSteps(context: InstanceContext): Promise<void> {
  const steps = context.plan.unchanged === true ? [] : stepsOf(context);
  await runSteps(context, steps, (step) => {
    if (!GOOD.has(step)) safePoint(context, step === guard);
  });
  await noteRollback(context);
}

/** Undoes all that was begun on a failed instance. @returns one line for each thing that is left as it is */
export async function bringBack(context: InstanceContext): Promise<string[]> {
  const left = lines(context, await span(context, 'bring back', () => undoSteps(context, stepsOf(context))));
  // Its former release is back, and did not serve: an earlier deployment had to leave it out of rotation.
  return isOwed(context) ? [...left, `${context.instance.key} stays out of rotation, as before this deployment`] : left;
}

const isOwed = (context: InstanceContext): boolean =>
  drainFoundSchema.safeParse(stepState(context, drain)?.found).data?.owed === true;

/** Brings back an instance that is on the new release, never the last one that serves. @returns as `bringBack` */
export async function takeBack(context: InstanceContext): Promise<string[]> {
  const { journal, instance } = context;
  // Once begun it is ended, whoever serves meanwhile. A release had not been asked who serves on its way in either.
  if (isDone(journal.state.instances[instance.key]) && stepState(context, restore)?.status === 'done') {
    try {
      await anotherServes(context);
      await mustBeReached(context);
    } catch (error) {
      if (context.signal.aborted) throw error;
      return lines(context, [toRexError(error)]);
    }
  }
  return bringBack(context);
}

/** Where nothing can be taken back, what serves is not taken out of rotation for it either. @throws what keeps us out */
async function mustBeReached(context: InstanceContext): Promise<void> {
  const options = { attempts: context.name.retries + 1, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS };
  await retry(() => look.find(context), { ...options, signal: context.signal });
}

const lines = (context: InstanceContext, errors: readonly RexError[]): string[] =>
  errors.map((error) => `${context.instance.key}: ${error.message}`);

const span = <T>({ instance, journal }: InstanceContext, phase: string, work: () => Promise<T>): Promise<T> =>
  traced(
    `instance ${instance.key}`,
    {
      'rexdeploy.deployment': journal.id,
      'rexdeploy.instance': instance.key,
      'rexdeploy.host': instance.host,
      'rexdeploy.phase': phase,
    },
    work,
  );
