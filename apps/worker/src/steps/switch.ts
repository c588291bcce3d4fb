import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { CommandError, HostError } from '@rexdeploy/shared/errors/host-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { Side } from '@rexdeploy/shared/journal/events';
import { quote } from '@rexdeploy/ssh/quote';
import { healthUrl } from '../health/url.js';
import { waitUntilHealthy } from '../health/wait.js';
import { parseFacts } from '../hosts/answers.js';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';
import { type Step, stepState } from '../rollout/step.js';
import { type GuardFound, guard, guardFoundSchema } from './guard.js';

/** Longest that a service may take to stop and to start. */
const STOP_SECONDS = 60;
const START_SECONDS = 120;
const SCRIPT_TIMEOUT_MS = (2 * STOP_SECONDS + 2 * START_SECONDS + 30) * 1000;

/**
 * Stop, switch and start, in one trip to the host. The links change by one rename each; a plain directory from before
 * the first deployment makes way to `<dir>_<stamp>_before`.
 */
export const switchRelease: Step<GuardFound> = {
  name: 'switch',
  found: guardFoundSchema,

  async find(context) {
    const found = guardFoundSchema.safeParse(stepState(context, guard)?.found);
    if (!found.success) throw new RexError({ what: 'the journal does not tell what guard found' });
    return found.data;
  },

  async run(context) {
    const { plan, instance } = context;
    const answer = await runSwitch(context, {
      program: `link ${plan.programRelease}`,
      config: plan.configRelease === undefined ? '' : `link ${plan.configRelease}`,
      start: startCommand(instance),
      stop: stopCommand(instance),
    });
    return { startAppMs: answer.startAppMs, pids: answer.pids ?? '' };
  },

  async undo(context, found) {
    const { instance } = context;
    const ran = found.processes === undefined ? found.program.kind !== 'absent' : found.processes > 0;
    await runSwitch(context, {
      program: former(context, found.program),
      config: found.config === undefined ? '' : former(context, found.config),
      start: ran ? startCommand(instance) : '',
      stop: stopCommand(instance),
    });
    if (ran && instance.health !== undefined) {
      await waitUntilHealthy(healthUrl(instance.health, instance), instance.health, context.signal);
    }
    return { running: ran, linked: found.program.real ?? '' };
  },
};

interface Wanted {
  program: string;
  config: string;
  start: string;
  stop: string;
}

async function runSwitch(context: InstanceContext, wanted: Wanted): Promise<{ startAppMs: number; pids?: string }> {
  const { instance, plan, journal, signal } = context;
  const transport = await context.host();
  let startAppMs = Date.now();
  let pids: string | undefined;
  const marks: Promise<void>[] = [];
  const onLine = (line: string): void => {
    const facts = parseFacts(line);
    if (facts.pids !== undefined) pids = facts.pids.trim();
    if (facts.mark === undefined) return;
    if (facts.mark === 'start') startAppMs = Date.now();
    const event = { type: 'step-mark' as const, instance: instance.key, step: 'switch', mark: facts.mark };
    // Not awaited here, so that a mark costs the instance no time out of rotation.
    marks.push(journal.append(event));
  };
  try {
    await transport.run(
      scripts.switch,
      [
        plan.programDir,
        wanted.program,
        plan.configDir ?? '',
        wanted.config,
        wanted.start,
        wanted.stop,
        instance.process ?? '',
        beforeSuffix(context),
        String(STOP_SECONDS),
        String(START_SECONDS),
      ],
      { onLine, signal, timeoutMs: SCRIPT_TIMEOUT_MS },
    );
  } catch (error) {
    throw explain(error, instance);
  } finally {
    await Promise.all(marks);
  }
  return pids === undefined ? { startAppMs } : { startAppMs, pids };
}

const PHASES: Readonly<Record<number, string>> = {
  91: 'did not stop',
  92: 'could not be switched',
  93: 'did not start',
  94: 'did not stay up',
};

function explain(error: unknown, instance: ResolvedInstance): unknown {
  if (!(error instanceof CommandError) || error.exitCode === null) return error;
  const phase = PHASES[error.exitCode];
  if (phase === undefined) return error;
  return new HostError({
    host: instance.host,
    what: `${instance.key} ${phase}: ${error.stderrTail.trim()}`,
    cause: error,
  });
}

/** Where a plain directory goes that has to make way, e.g. `_20180530_043756_before`. */
export const beforeSuffix = (context: InstanceContext): string => `_${context.journal.state.plan?.suffix}_before`;

/** The state to go back to, as switch.sh reads it. */
function former(context: InstanceContext, side: Side): string {
  switch (side.kind) {
    case 'link':
      return `link ${side.real}`;
    case 'directory':
      return `directory ${side.path}${beforeSuffix(context)}`;
    case 'absent':
      return 'absent';
  }
}

const startCommand = (instance: ResolvedInstance): string => command(instance, 'start');
const stopCommand = (instance: ResolvedInstance): string => command(instance, 'stop');

function command({ service }: ResolvedInstance, verb: 'start' | 'stop'): string {
  if (service === undefined) return '';
  return typeof service === 'string' ? `${quote(service)} ${verb}` : service[verb];
}
