import { HealthError } from '@rexdeploy/shared/errors/deployment-errors';
import { CommandError, HostError } from '@rexdeploy/shared/errors/host-errors';
import { z } from 'zod';
import { passHealthGate } from '../health/gate.js';
import { healthUrl } from '../health/url.js';
import { checkFacts, parseFacts } from '../hosts/answers.js';
import { scripts } from '../hosts/remote-scripts.js';
import { serviceCommand } from '../hosts/service-command.js';
import { configuredStanding, lookAtStanding } from '../hosts/standing.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Step } from '../rollout/step.js';

const foundSchema = z.looseObject({ processes: z.number().optional(), config: z.record(z.string(), z.string()) });
type Found = z.infer<typeof foundSchema>;

const answerSchema = z.object({ processes: z.coerce.number().int().nonnegative().optional() });

/** How long service.sh waits for another command on the same instance, and what is around it. */
const MARGIN_SECONDS = 330;

const PHASES: Readonly<Record<number, string>> = {
  91: 'did not stop',
  93: 'did not start',
  94: 'did not stay up',
};

/** Starts, stops or restarts the instance by its service, and makes sure of what runs then. */
export const runService: Step<Found> = {
  name: 'service',
  vital: true,
  found: foundSchema,

  async find(context) {
    const { instance, signal } = context;
    const { processes } = await lookAtStanding(await context.host(), instance, signal);
    return { processes, config: configRow(context) };
  },

  async run(context) {
    const verb = context.journal.state.request.service ?? 'restart';
    const processes = await send(context, verb);
    if (verb === 'stop') return { processes };
    if (processes === 0) {
      const { key, host, process } = context.instance;
      throw new HealthError({ where: host, what: `no process of ${key} matches "${process}" after ${verb}` });
    }
    const health = await passHealthGate(context);
    return { processes, ...health };
  },

  /** What ran before a restart that failed is started once more. */
  async undo(context, found) {
    if (context.journal.state.request.service !== 'restart' || found.processes === 0) return {};
    const processes = await send(context, 'start');
    await passHealthGate(context);
    return { processes };
  },
};

async function send(context: InstanceContext, verb: 'start' | 'stop' | 'restart'): Promise<number | undefined> {
  const { instance, name, journal, signal } = context;
  const { startSeconds, stopSeconds } = name.serviceTimeout;
  const told: Promise<void>[] = [];
  const onLine = (line: string): void => {
    const { mark } = parseFacts(line);
    if (mark === undefined) return;
    const event = journal.append({ type: 'step-mark', instance: instance.key, step: 'service', mark });
    // Its failure shows when all are awaited; until then it must not count as unhandled.
    event.catch(() => undefined);
    told.push(event);
  };
  const args = [
    instance.programDir,
    verb,
    serviceCommand(instance, 'start'),
    serviceCommand(instance, 'stop'),
    instance.process ?? '',
    String(stopSeconds),
    String(startSeconds),
  ];
  const timeoutMs = (2 * (startSeconds + stopSeconds) + MARGIN_SECONDS) * 1000;
  try {
    const { stdout } = await (await context.host()).run(scripts.service, args, { onLine, signal, timeoutMs });
    return checkFacts(answerSchema, stdout, instance.host, 'service').processes;
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode === null) throw error;
    const phase = PHASES[error.exitCode];
    if (phase === undefined) throw error;
    const what = `${instance.key} ${phase}: ${error.stderrTail.trim()}`;
    throw new HostError({ host: instance.host, what, cause: error });
  } finally {
    await Promise.all(told);
  }
}

/** What the configuration holds of the original's inventory row, for the answer. */
function configRow({ instance, name }: InstanceContext): Record<string, string> {
  const { programDir, configDir = '', service = '', process = '' } = configuredStanding(instance);
  const { health } = instance;
  return {
    app_key: instance.key,
    auto_deloy: '1',
    config_dir: configDir,
    is_deloy_dir: instance.configInside === undefined ? '2' : '1',
    is_restart_status: '0',
    local_name: name.k,
    network_ip: instance.host,
    pro_dir: programDir,
    pro_init: service,
    pro_key: process,
    require: health?.contains ?? '',
    requirecode: health === undefined ? '' : String(health.status),
    url: health === undefined ? '' : healthUrl(health, instance),
  };
}
