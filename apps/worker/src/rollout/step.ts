import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { StepError } from '@rexdeploy/shared/errors/deployment-errors';
import { RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import type { StepState } from '@rexdeploy/shared/journal/state';
import { failSpan, noteOnSpan, traced } from '@rexdeploy/shared/telemetry/trace';
import { retry } from '@rexdeploy/ssh/retry';
import type { z } from 'zod';
import type { InstanceContext } from './context.js';

type Facts = Record<string, unknown>;

/**
 * One step of an instance. `find` looks and changes nothing; its answer is journaled before `run` changes anything,
 * and read from there after a crash, never looked up again. `run` brings it about and checks it; repeatable.
 * `undo` puts back what was found; also called when `run` did not end.
 */
export interface Step<Found extends Facts = Facts> {
  readonly name: string;
  /** Without its undo the instance does not run: nothing that was begun before it may be undone then. */
  readonly vital?: boolean;
  /** What may end it before its time, since it leaves nothing that its repetition or its undo does not see to. */
  readonly endsOn?: readonly ('cancelled' | 'leaving')[];
  /** What `find` answers, as it is read back from a journal. */
  readonly found: z.ZodType<Found>;
  find(context: InstanceContext): Promise<Found>;
  run(context: InstanceContext, found: Found): Promise<Facts>;
  undo?(context: InstanceContext, found: Found): Promise<Facts>;
}

/** Lists of steps hold steps of different findings; each reads its own back through its schema. */
export type AnyStep = Omit<Step, 'find' | 'run' | 'undo' | 'found'> & {
  readonly found: z.ZodType<Facts>;
  find(context: InstanceContext): Promise<Facts>;
  run(context: InstanceContext, found: never): Promise<Facts>;
  undo?(context: InstanceContext, found: never): Promise<Facts>;
};

/** Waits between attempts of a step: connection-class errors only. */
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 15_000;

/**
 * Brings steps to their end one after another, whatever was begun before: done is left alone, begun is repeated with what
 * was found. The end of one and the start of the next are written together: an instance is out of rotation meanwhile.
 * @param beforeEach called before each step that is not done; what it throws ends the row
 * @throws StepError when one failed (journaled); LeaseLost as it comes
 */
export async function runSteps(
  context: InstanceContext,
  steps: readonly AnyStep[],
  beforeEach: (step: AnyStep) => void = () => undefined,
): Promise<void> {
  const ended: NewEvent[] = [];
  try {
    for (const step of steps) {
      if (stepState(context, step)?.status === 'done') continue;
      beforeEach(step);
      await runStep(context, step, ended);
    }
  } finally {
    if (ended.length > 0 && !context.signal.aborted) await context.journal.append(...ended);
  }
}

async function runStep(context: InstanceContext, step: AnyStep, ended: NewEvent[]): Promise<void> {
  const before = stepState(context, step);
  // It failed before this worker took over: it is not tried again, only brought back.
  if (before !== undefined && before.status !== 'running') throw earlierFailure(context, before);
  await traced(step.name, spanAttributes(context, step), () => runBegun(context, step, before, ended));
}

async function runBegun(
  context: InstanceContext,
  step: AnyStep,
  before: StepState | undefined,
  ended: NewEvent[],
): Promise<void> {
  const { journal, instance } = context;
  const at = { instance: instance.key, step: step.name };
  const startedMs = Date.now();
  const ends = (step.endsOn ?? []).map((reason) => context[reason]);
  const running = { ...context, signal: AbortSignal.any([context.signal, ...ends]) };
  try {
    const found = before?.found ?? (await attempts(context, step, () => step.find(context)));
    const started: NewEvent[] = before === undefined ? [{ type: 'step-started', ...at, found }] : [];
    const told = [...ended.splice(0), ...started];
    if (told.length > 0) await journal.append(...told);
    const facts = await attempts(running, step, () => step.run(running, step.found.parse(found) as never));
    ended.push({ type: 'step-done', ...at, facts, ms: Date.now() - startedMs });
  } catch (thrown) {
    if (thrown instanceof ControlFlow || context.signal.aborted) throw thrown;
    if (running.signal.aborted) throw running.signal.reason;
    const error = toRexError(thrown, instance.host);
    // A step that failed while looking has begun nothing, but the journal must show where it ended.
    const begun: NewEvent[] =
      stepState(context, step) === undefined ? [{ type: 'step-started', ...at, found: {} }] : [];
    const failed: NewEvent = { type: 'step-failed', ...at, error: error.toRecord(), ms: Date.now() - startedMs };
    await journal.append(...ended.splice(0), ...begun, failed);
    throw new StepError(instance.key, step.name, error);
  }
}

function earlierFailure(context: InstanceContext, state: StepState): StepError {
  const steps = context.journal.state.instances[context.instance.key]?.steps ?? [];
  // The step that failed, not the ones that were taken back because of it.
  const cause = steps.find((step) => step.error !== undefined) ?? state;
  const facts = cause.error ?? { what: 'it was given up before this worker took over' };
  return new StepError(context.instance.key, cause.step, new RexError(facts));
}

/**
 * Undoes everything begun, the last first. Goes on when one undo fails, so that all that can be put back is; but not past
 * a vital one.
 * @returns the errors of the undos that failed
 */
export async function undoSteps(context: InstanceContext, steps: readonly AnyStep[]): Promise<RexError[]> {
  const failures: RexError[] = [];
  for (const step of steps.toReversed()) {
    const state = stepState(context, step);
    if (step.undo === undefined || state === undefined || state.status === 'undone') continue;
    const found = step.found.safeParse(state.found);
    if (!found.success) continue; // it failed while looking: nothing was begun
    const failure = await traced(`undo ${step.name}`, spanAttributes(context, step), () =>
      undoStep(context, step, found.data),
    );
    if (failure === undefined) continue;
    failures.push(failure);
    if (step.vital !== true) continue;
    // What was begun earlier stays as it is: traffic must not be given back to what does not run.
    const { key } = context.instance;
    const isOut = stepState(context, { name: 'restore' })?.status !== 'undo-failed';
    const what = isOut ? `${key} stays out of rotation` : `it is not certain that ${key} is out of rotation`;
    failures.push(new RexError({ where: context.balancer.place, what }));
    break;
  }
  return failures;
}

async function undoStep(context: InstanceContext, step: AnyStep, found: Facts): Promise<RexError | undefined> {
  const { journal, instance } = context;
  const at = { instance: instance.key, step: step.name };
  const startedMs = Date.now();
  await journal.append({ type: 'undo-started', ...at });
  try {
    const facts = await attempts(context, step, async () => (await step.undo?.(context, found as never)) ?? {});
    await journal.append({ type: 'undo-done', ...at, facts, ms: Date.now() - startedMs });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ControlFlow || context.signal.aborted) throw thrown;
    const error = toRexError(thrown, instance.host);
    failSpan(error);
    await journal.append({ type: 'undo-failed', ...at, error: error.toRecord(), ms: Date.now() - startedMs });
    return error;
  }
}

const spanAttributes = ({ instance, journal }: InstanceContext, step: AnyStep) => ({
  'rexdeploy.deployment': journal.id,
  'rexdeploy.instance': instance.key,
  'rexdeploy.host': instance.host,
  'rexdeploy.step': step.name,
});

function attempts<T>(context: InstanceContext, step: AnyStep, work: () => Promise<T>): Promise<T> {
  const told: Promise<void>[] = [];
  const run = retry(work, {
    attempts: context.name.retries + 1,
    baseMs: RETRY_BASE_MS,
    maxMs: RETRY_MAX_MS,
    signal: context.signal,
    onRetry: (error, attempt, delayMs) => {
      noteOnSpan('retry', { attempt, delayMs, error: toRexError(error).message });
      const at = { instance: context.instance.key, step: step.name };
      const event = { type: 'step-retried' as const, ...at, attempt, delayMs, error: toRexError(error).toRecord() };
      const tell = context.journal.append(event);
      // Its failure shows when all are awaited; until then it must not count as unhandled.
      tell.catch(() => undefined);
      told.push(tell);
    },
  });
  return run.finally(() => Promise.all(told));
}

export function stepState(context: InstanceContext, step: { name: string }): StepState | undefined {
  return context.journal.state.instances[context.instance.key]?.steps.find((state) => state.step === step.name);
}
