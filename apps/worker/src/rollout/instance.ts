import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { drain } from '../steps/drain.js';
import { guard } from '../steps/guard.js';
import { record } from '../steps/record.js';
import { restore } from '../steps/restore.js';
import { stage } from '../steps/stage.js';
import { switchRelease } from '../steps/switch.js';
import { verify } from '../steps/verify.js';
import type { InstanceContext } from './context.js';
import { type AnyStep, runStep, undoSteps } from './step.js';

/** What happens to one instance, in order. `switch` is stop, switch and start in one trip to the host. */
const STEPS: readonly AnyStep[] = [guard, drain, switchRelease, verify, restore, record];

/** Places the release beside the current one. */
export const stageInstance = (context: InstanceContext): Promise<void> => runStep(context, stage);

/** Removes what staging made, where it was begun. @returns one line for each thing that is left */
export async function unstageInstance(context: InstanceContext): Promise<string[]> {
  return lines(context, await undoSteps(context, [stage]));
}

/**
 * Takes an instance through all its steps, from wherever the journal stands.
 * @throws StepError when one failed; `bringBack` is due then
 */
export async function rollInstance(context: InstanceContext): Promise<void> {
  for (const step of STEPS) await runStep(context, step);
}

/** Undoes all that was begun on a failed instance. @returns one line for each thing that is left as it is */
export async function bringBack(context: InstanceContext): Promise<string[]> {
  return lines(context, await undoSteps(context, STEPS));
}

const lines = (context: InstanceContext, errors: readonly RexError[]): string[] =>
  errors.map((error) => `${context.instance.key}: ${error.message}`);
