import type { ResolvedInstance, ResolvedName } from '@rexdeploy/shared/config/resolved';
import { ControlFlow } from '@rexdeploy/shared/errors/control-flow';
import { CommandError, HostError } from '@rexdeploy/shared/errors/host-errors';
import { RexError, toRexError } from '@rexdeploy/shared/errors/rex-error';
import type { Side } from '@rexdeploy/shared/journal/events';
import { endOfLog } from '../health/app-log.js';
import { askHealthAhead, passHealthGate } from '../health/gate.js';
import { ownPort, proveRelease } from '../health/proof.js';
import { parseFacts } from '../hosts/answers.js';
import { scripts } from '../hosts/remote-scripts.js';
import { serviceCommand } from '../hosts/service-command.js';
import type { InstanceContext } from '../rollout/context.js';
import { lookAtNext } from '../rollout/look-ahead.js';
import { type Step, stepState } from '../rollout/step.js';
import { sharedFolder, sharedList } from '../transfer/shared.js';
import { drain, drainFoundSchema, keepOut } from './drain.js';
import { formerLink, type GuardFound, guard, guardFoundSchema } from './guard.js';

/** Longest that one hook may take. */
const HOOK_SECONDS = 60;
/** Shared entries may be large, and are brought up to date within the same script. */
const SHARED_SECONDS = 600;
/** How long switch.sh waits for another command on the same instance. */
const MUTEX_SECONDS = 300;
/** Most of what failed hooks wrote that goes into the journal, in characters. */
const HOOK_OUTPUT = 4_000;

/**
 * Stop, switch and start, in one trip to the host. The links change by one rename each; a plain directory from before
 * the first deployment makes way to `<dir>_<stamp>_before`.
 */
export const switchRelease: Step<GuardFound> = {
  name: 'switch',
  vital: true,
  found: guardFoundSchema,

  async find(context) {
    const found = guardFoundSchema.safeParse(stepState(context, guard)?.found);
    if (!found.success) throw new RexError({ what: 'the journal does not tell what guard found' });
    return found.data;
  },

  async run(context, found) {
    const { plan, instance, name } = context;
    await keepDrained(context);
    const answer = await runSwitch(context, {
      program: `link ${plan.programRelease}`,
      config: plan.configRelease === undefined ? '' : `link ${plan.configRelease}`,
      start: startCommand(instance),
      stop: stopCommand(instance),
      release: plan.programRelease,
      hooks: name.hooks,
      decide: true,
      shared: { former: found.program.real ?? '', entries: name.shared },
      proof: { former: formerLink(context) ?? '', port: ownPort(instance) },
      runs: (found.processes ?? 0) > 0,
    });
    return { startAppMs: answer.startAppMs, pids: answer.pids ?? '' };
  },

  async undo(context, found) {
    const { instance, name, plan } = context;
    const ran = found.processes === undefined ? found.program.kind !== 'absent' : found.processes > 0;
    await tryToKeepDrained(context);
    await runSwitch(context, {
      program: former(context, found.program),
      config: found.config === undefined ? '' : former(context, found.config),
      start: ran ? startCommand(instance) : '',
      stop: stopCommand(instance),
      release: found.program.real ?? '',
      // What stood here before must come back, whatever a hook says to that.
      hooks: { ...name.hooks, ...(ran ? {} : { afterStart: '' }) },
      decide: false,
      shared: { former: '', entries: [] },
      proof: { former: plan.programRelease, port: ran ? ownPort(instance) : undefined },
      runs: false,
    });
    const { real } = found.program;
    if (ran) await passHealthGate(context, real);
    // Where nothing was there before, what ran is no release of ours.
    if (ran && real !== undefined)
      await proveRelease(context, real, { former: context.plan.programRelease, step: 'switch' });
    return { running: ran, linked: real ?? '' };
  },
};

/**
 * The app is stopped next: it must not get requests. Looked at once more where the drain was not confirmed a moment ago, by
 * this worker: a reload may have forgotten it.
 */
async function keepDrained(context: InstanceContext): Promise<void> {
  const found = drainFoundSchema.safeParse(stepState(context, drain)?.found);
  if (found.success) await keepOut(context, found.data);
}

/** The same for the way back, which goes on all the same: a release that runs matters more than a balancer that is away. */
async function tryToKeepDrained(context: InstanceContext): Promise<void> {
  const { journal, instance, signal } = context;
  try {
    await keepDrained(context);
  } catch (error) {
    if (error instanceof ControlFlow || signal.aborted) throw error;
    const message = `it is not known whether it is out of rotation: ${toRexError(error).message}`;
    await journal.append({ type: 'log', level: 'warn', instance: instance.key, step: 'switch', message });
  }
}

interface Wanted {
  program: string;
  config: string;
  start: string;
  stop: string;
  /** The program's release as the hooks are told it. */
  release: string;
  hooks: ResolvedName['hooks'];
  /** A hook that fails ends it; else that is only told. */
  decide: boolean;
  /** Entries that the former release may still hold itself. */
  shared: { former: string; entries: readonly string[] };
  /** What is proven at once where the app is quick; `port`: undefined = nothing. */
  proof: { former: string; port: number | undefined };
  /** Were its processes seen a moment ago? */
  runs: boolean;
}

async function runSwitch(context: InstanceContext, wanted: Wanted): Promise<{ startAppMs: number; pids?: string }> {
  const { instance, name, plan, journal, signal } = context;
  const transport = await context.host();
  let startAppMs = Date.now();
  let pids: string | undefined;
  const failedHooks: string[] = [];
  const proof: string[] = [];
  const marks: Promise<void>[] = [];
  context.lately.forgetRun(instance.key);
  const onLine = (line: string): void => {
    const facts = parseFacts(line);
    if (facts.pids !== undefined) pids = facts.pids.trim();
    if (facts.failed_hook !== undefined) failedHooks.push(facts.failed_hook);
    if (facts.mark === undefined) {
      proof.push(line);
      return;
    }
    if (facts.mark === 'listens') {
      if (wanted.release !== '') askHealthAhead(context, wanted.release);
      return;
    }
    if (facts.mark === 'start') {
      startAppMs = Date.now();
      if (wanted.decide) lookAtNext(context);
    }
    const event = { type: 'step-mark' as const, instance: instance.key, step: 'switch', mark: facts.mark };
    // Not awaited here, so that a mark costs the instance no time out of rotation.
    const told = journal.append(event);
    // Its failure shows when all are awaited; until then it must not count as unhandled.
    told.catch(() => undefined);
    marks.push(told);
  };
  try {
    const { stderr } = await transport.run(
      scripts.switch,
      [
        plan.programDir,
        wanted.program,
        // Without a release of its own the configuration stays as it is.
        wanted.config === '' ? '' : (plan.configDir ?? ''),
        wanted.config,
        wanted.start,
        wanted.stop,
        instance.process ?? '',
        beforeSuffix(context),
        String(name.serviceTimeout.stopSeconds),
        String(name.serviceTimeout.startSeconds),
        wanted.hooks.beforeStop,
        wanted.hooks.afterSwitch,
        wanted.hooks.afterStart,
        String(HOOK_SECONDS),
        wanted.decide ? 'yes' : 'no',
        instance.key,
        instance.host,
        wanted.release,
        sharedFolder(plan.programDir),
        wanted.shared.former,
        sharedList(wanted.shared.entries),
        wanted.release,
        wanted.proof.former,
        String(wanted.proof.port ?? ''),
        wanted.runs ? 'yes' : 'no',
      ],
      { onLine, signal, timeoutMs: timeLimitMs(wanted, name.serviceTimeout) },
    );
    // It ends with the user; an app that was not up in time has none.
    if (proof.at(-1)?.startsWith('user\t') === true)
      context.lately.notes.keep(`proof ${instance.key}`, proof.join('\n'));
    if (failedHooks.length > 0) {
      const message = `${failedHooks.join(' and ')} failed, the bring-back goes on: ${stderr.trim().slice(-HOOK_OUTPUT)}`;
      await journal.append({ type: 'log', level: 'warn', instance: instance.key, step: 'switch', message });
    }
  } catch (error) {
    throw await explain(error, context);
  } finally {
    await Promise.all(marks);
  }
  return pids === undefined ? { startAppMs } : { startAppMs, pids };
}

/** Only what is configured adds to it, so that a host that hangs is noticed as early as can be. */
function timeLimitMs({ hooks, shared }: Wanted, service: ResolvedName['serviceTimeout']): number {
  // The command, and then its processes, may take that long each.
  const serviceSeconds = 2 * service.stopSeconds + 2 * service.startSeconds + MUTEX_SECONDS + 30;
  const hookCount = Object.values(hooks).filter((command) => command !== '').length;
  const sharedSeconds = shared.entries.length > 0 ? SHARED_SECONDS : 0;
  return (serviceSeconds + hookCount * (HOOK_SECONDS + 5) + sharedSeconds) * 1000;
}

const PHASES: Readonly<Record<number, string>> = {
  91: 'did not stop',
  92: 'could not be switched',
  93: 'did not start',
  94: 'did not stay up',
  95: 'was not stopped, because its hook before_stop failed',
  96: 'was not started, because its hook after_switch failed',
  97: 'was started, and its hook after_start failed',
};

/** Phases in which the app itself was at work, so that its log may tell why; in the first one, its service has told. */
const NOT_STARTED = 93;
const STARTED = new Set([NOT_STARTED, 94, 97]);

async function explain(error: unknown, context: InstanceContext): Promise<unknown> {
  if (!(error instanceof CommandError) || error.exitCode === null) return error;
  const { instance } = context;
  const phase = PHASES[error.exitCode];
  if (phase === undefined) return error;
  const log = STARTED.has(error.exitCode) ? await endOfLog(context, error.exitCode === NOT_STARTED) : '';
  return new HostError({
    host: instance.host,
    what: `${instance.key} ${phase}: ${error.stderrTail.trim()}${log}`,
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

const startCommand = (instance: ResolvedInstance): string => serviceCommand(instance, 'start');
const stopCommand = (instance: ResolvedInstance): string => serviceCommand(instance, 'stop');
