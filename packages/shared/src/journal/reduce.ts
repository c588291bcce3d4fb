import { JournalError } from '../errors/request-errors.js';
import { type JournalEvent, recordFactsSchema } from './events.js';
import type { BatchState, DeploymentState, InstanceState, StepState } from './state.js';

/**
 * Adds one event to a state. Pure: the given state is not changed.
 * Everything that tells about a deployment (poll, stream, dashboard, CLI, resume) comes from here.
 * @throws JournalError when the first event is not `accepted`
 */
export function reduce(state: DeploymentState | undefined, event: JournalEvent): DeploymentState {
  if (event.type === 'accepted') return begin(event);
  if (state === undefined) {
    throw new JournalError({
      what: `the journal begins with "${event.type}": what came before it is lost`,
      whatToDo: 'free its name: action=Deploy:Db:initdb',
    });
  }
  // What comes after the end does not put the end off.
  if (event.type === 'rolled-back' || event.type === 'marked') return apply(state, event);
  const next = { ...state, lastMs: Date.parse(event.at) };
  const line = logLine(event);
  if (line !== undefined) next.log = [...next.log, line];
  return apply(next, event);
}

/** Folds a whole journal; undefined when it is empty. */
export function fold(events: Iterable<JournalEvent>): DeploymentState | undefined {
  let state: DeploymentState | undefined;
  for (const event of events) state = reduce(state, event);
  return state;
}

function begin(event: Extract<JournalEvent, { type: 'accepted' }>): DeploymentState {
  const acceptedMs = Date.parse(event.at);
  return {
    id: event.id,
    state: 'queued',
    request: event.request,
    stampMs: event.stampMs,
    acceptedMs,
    lastMs: acceptedMs,
    epoch: 0,
    heldAfter: [],
    differences: {},
    checks: {},
    standing: {},
    observed: {},
    batches: event.request.batches.map((instances) => ({ instances, status: 'waiting' })),
    instances: {},
    log: [],
  };
}

function apply(state: DeploymentState, event: Exclude<JournalEvent, { type: 'accepted' }>): DeploymentState {
  const atMs = Date.parse(event.at);
  switch (event.type) {
    case 'waiting': {
      const { for: owner, k, state: standing, place } = event;
      return { ...state, waiting: { for: owner, k, state: standing, place } };
    }
    case 'turn':
      return { ...state, waiting: undefined, stampMs: event.stampMs, turnMs: atMs };
    case 'claimed':
      return { ...state, state: 'running', worker: event.worker, epoch: event.epoch };
    case 'handed-back':
      return { ...state, state: 'queued', worker: undefined };
    case 'asked':
      return ask(state, event);
    case 'held':
      return {
        ...state,
        state: 'held',
        worker: undefined,
        asked: undefined,
        heldAfter: [...state.heldAfter, event.batch],
      };
    case 'planned':
      return plan(state, event);
    case 'package-resolved': {
      const { type: _, at: __, ...resolved } = event;
      return { ...state, package: resolved };
    }
    case 'difference': {
      const { program, config } = event;
      return { ...state, differences: { ...state.differences, [event.instance]: { program, config } } };
    }
    case 'plan-hash':
    case 'plan-confirmed':
      return { ...state, planHash: event.hash };
    case 'checked': {
      const { instance, findings, standing: stands } = event;
      const next = { ...state, checks: { ...state.checks, [instance]: findings } };
      return stands === undefined ? next : { ...next, standing: { ...state.standing, [instance]: stands } };
    }
    case 'observed': {
      const { type: _, at: __, ...seen } = event;
      return { ...state, observed: { ...state.observed, [event.instance]: seen } };
    }
    case 'batch-started':
      return withBatch(state, event.batch, { status: 'running', startedMs: atMs });
    case 'batch-finished':
      return withBatch(state, event.batch, { status: 'finished', endedMs: atMs });
    case 'batch-failed':
      return withBatch(state, event.batch, { status: 'failed', endedMs: atMs, message: event.message });
    case 'step-started':
      return startStep(state, event, atMs);
    case 'step-progress':
      return withInstance(state, event.instance, { bytes: event.bytes, bytesTotal: event.bytesTotal });
    case 'step-mark':
      return moveTo(state, event.instance, event.mark);
    case 'step-retried':
      return withStep(state, event, (step) => ({ ...step, attempts: step.attempts + 1 }));
    case 'step-done':
      return finishStep(state, event, atMs);
    case 'step-failed':
      return withStep(state, event, (step) => ({ ...step, status: 'failed', endedMs: atMs, error: event.error }));
    case 'undo-started':
      return moveTo(
        withStep(state, event, (step) => ({ ...step, status: 'undoing' })),
        event.instance,
        `undo ${event.step}`,
      );
    case 'undo-done': {
      const next = withStep(state, event, (step) => ({ ...step, status: 'undone', endedMs: atMs }));
      const had = instanceOf(state, event.instance).record !== undefined && event.step === 'switch';
      return had ? withInstance(next, event.instance, { takenBack: true }) : next;
    }
    case 'undo-failed':
      return withStep(state, event, (step) => ({
        ...step,
        status: 'undo-failed',
        endedMs: atMs,
        undoError: event.error,
      }));
    case 'left': {
      const { why, kept, linked, rotation, processes } = event;
      return withInstance(state, event.instance, { left: { why, kept, linked, rotation, processes } });
    }
    case 'rolled-back':
      return withInstance(state, event.instance, {
        rolledBack: (instanceOf(state, event.instance).rolledBack ?? 0) + 1,
      });
    case 'marked':
      return withInstance(state, event.instance, { marked: event.marked });
    case 'given-back':
    case 'log':
      return state;
    case 'finished':
      return { ...state, state: event.state, error: event.error, waiting: undefined };
  }
}

/** A deployment that is held has no owner: what was asked wakes it. */
function ask(state: DeploymentState, { control, by }: Extract<JournalEvent, { type: 'asked' }>): DeploymentState {
  const asked = control === 'resume' ? undefined : { control, by };
  const wakes = state.state === 'held' && control !== 'hold';
  return { ...state, asked, state: wakes ? 'queued' : state.state };
}

function plan(
  state: DeploymentState,
  { suffix, instances, batches }: Extract<JournalEvent, { type: 'planned' }>,
): DeploymentState {
  const next: DeploymentState = { ...state, plan: { suffix, instances } };
  if (batches !== undefined) next.batches = batches.map((keys) => ({ instances: keys, status: 'waiting' }));
  return instances
    .filter(({ unchanged }) => unchanged === true)
    .reduce<DeploymentState>((all, { instance }) => withInstance(all, instance, { unchanged: true }), next);
}

function startStep(
  state: DeploymentState,
  event: Extract<JournalEvent, { type: 'step-started' }>,
  atMs: number,
): DeploymentState {
  const instance = instanceOf(state, event.instance);
  const fresh: StepState = {
    step: event.step,
    status: 'running',
    found: event.found,
    facts: {},
    startedMs: atMs,
    attempts: 1,
  };
  const steps = [...instance.steps.filter((step) => step.step !== event.step), fresh];
  return moveTo(withInstance(state, event.instance, { steps }), event.instance, event.step);
}

function finishStep(
  state: DeploymentState,
  event: Extract<JournalEvent, { type: 'step-done' }>,
  atMs: number,
): DeploymentState {
  const { epoch } = state;
  const next = withStep(state, event, (step) => ({
    ...step,
    status: 'done',
    endedMs: atMs,
    epoch,
    facts: event.facts,
  }));
  if (event.step !== 'record') return next;
  return withInstance(next, event.instance, { record: recordFactsSchema.parse(event.facts) });
}

const instanceOf = (state: DeploymentState, key: string): InstanceState =>
  state.instances[key] ?? { instance: key, steps: [], bytes: 0, bytesTotal: 0 };

function withInstance(state: DeploymentState, key: string, change: Partial<InstanceState>): DeploymentState {
  return { ...state, instances: { ...state.instances, [key]: { ...instanceOf(state, key), ...change } } };
}

function withStep(
  state: DeploymentState,
  at: { instance: string; step: string },
  change: (step: StepState) => StepState,
): DeploymentState {
  const steps = instanceOf(state, at.instance).steps.map((step) => (step.step === at.step ? change(step) : step));
  return withInstance(state, at.instance, { steps });
}

function withBatch(state: DeploymentState, index: number, change: Partial<BatchState>): DeploymentState {
  const batches = state.batches.map((batch, i) => (i === index ? { ...batch, ...change } : batch));
  return { ...state, batches };
}

const moveTo = (state: DeploymentState, instance: string, step: string): DeploymentState => ({
  ...state,
  current: { instance, step },
});

/** One line of the roll-out's log (`respon.stdout`); undefined for events that only carry figures. */
export function logLine(event: JournalEvent): string | undefined {
  const text = logText(event);
  return text === undefined ? undefined : `${event.at} ${text}`;
}

function logText(event: JournalEvent): string | undefined {
  const where = 'instance' in event && event.instance ? `${event.instance} ` : '';
  switch (event.type) {
    case 'waiting':
      return whyWaiting(event);
    case 'turn':
      return 'its turn has come';
    case 'claimed':
      return `taken by ${event.worker}`;
    case 'handed-back':
      return `handed back by ${event.worker}: ${event.reason}`;
    case 'asked':
      return `${event.control} asked for by ${event.by}`;
    case 'held':
      return `held after batch ${event.batch}`;
    case 'given-back':
      return `${where}has got back what it had: ${event.exact.trim()}`;
    case 'left':
      return `${where}left as it is: ${event.why}${standing(event)}`;
    case 'planned':
      return `planned ${event.instances.map((instance) => instance.instance).join(' ')}`;
    case 'package-resolved':
      return `package from ${event.origin}: ${event.files} files, ${event.size} bytes`;
    case 'difference':
      return `${where}+${event.program.added} ~${event.program.changed} -${event.program.removed}`;
    case 'plan-hash':
      return `plan ${event.hash}`;
    case 'plan-confirmed':
      return `all is as plan ${event.hash} says`;
    case 'checked':
      return `${where}${event.findings.map(({ check, ok, what }) => `${check} ${ok ? 'ok' : 'FAILED'}: ${what}`).join('; ')}`;
    case 'observed':
      return `${where}observed`;
    case 'batch-started':
      return `batch ${event.batch} started`;
    case 'batch-finished':
      return `batch ${event.batch} finished`;
    case 'batch-failed':
      return `batch ${event.batch} failed: ${event.message}`;
    case 'step-started':
      return `${where}${event.step} …`;
    case 'step-mark':
      return `${where}${event.mark}`;
    case 'step-retried':
      return `${where}${event.step} attempt ${event.attempt} in ${event.delayMs} ms: ${event.error.what}`;
    case 'step-done':
      return `${where}${event.step} done (${event.ms} ms)`;
    case 'step-failed':
      return `${where}${event.step} failed: ${event.error.what}`;
    case 'undo-started':
      return `${where}undoing ${event.step} …`;
    case 'undo-done':
      return `${where}${event.step} undone (${event.ms} ms)`;
    case 'undo-failed':
      return `${where}${event.step} could not be undone: ${event.error.what}`;
    case 'log':
      return `${where}${event.message}`;
    case 'finished':
      return event.state;
    case 'accepted':
    case 'step-progress':
    case 'rolled-back':
    case 'marked':
      return undefined;
  }
}

/** `waits for dep-… (server, running)`, and its place where others come first. */
export function whyWaiting(waiting: { for: string; k: string; state: string; place: number }): string {
  const place = waiting.place === 1 ? '' : `, number ${waiting.place} in line`;
  return `waits for ${waiting.for} (${waiting.k}, ${waiting.state})${place}`;
}

/** ` (linked to …, balancer: …, 1 processes)`, as far as it is known. */
export function standing(left: {
  linked?: string | undefined;
  rotation?: string | undefined;
  processes?: number | undefined;
}): string {
  const parts = [
    left.linked === undefined ? '' : `linked to ${left.linked}`,
    left.rotation === undefined ? '' : `balancer: ${left.rotation.trim()}`,
    left.processes === undefined ? '' : `${left.processes} processes`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
