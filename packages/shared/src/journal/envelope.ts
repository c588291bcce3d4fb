import type { Envelope, InstanceRecord, JobView, Leaves } from '../api/envelope-schema.js';
import type { DifferenceRow } from '../api/job-answer.js';
import { localTime } from '../clock.js';
import { messages } from '../errors/messages.js';
import { sentence } from '../errors/rex-error.js';
import { actionRows, countDone } from './action-views.js';
import { commandLine, requestCommand } from './command-line.js';
import type { Difference, RecordFacts } from './events.js';
import { list } from './list.js';
import { whyWaiting } from './reduce.js';
import { type BatchState, type DeploymentState, isLeftBehind, isTerminal } from './state.js';

export { list };

/** How the answer is to be written; all of it comes from the config. */
export interface EnvelopeSettings {
  timezone: string;
  printStdout: 0 | 1;
  /** Folder that the controller works in. */
  directory: string;
}

/**
 * The documented answer for a deployment, from its state alone; the only home of the misspelt names.
 * @param nowMs end of `take` while the deployment runs, milliseconds since 1970
 */
export function envelope(state: DeploymentState, settings: EnvelopeSettings, nowMs: number): Envelope {
  const ended = isTerminal(state.state);
  const failed = state.state === 'failed' || state.state === 'cancelled';
  const reason = failed ? failureText(state) : undefined;
  const showLog = settings.printStdout === 1 || state.request.sprint;
  return {
    code: failed ? '-1' : '0',
    ...(reason === undefined ? {} : { msg: reason }),
    data: {
      code: failed ? '-1' : ended ? '0' : '1',
      data: batches(state, settings.timezone),
      msg: dataMessage(state, reason),
      ...(state.planHash === undefined ? {} : { plan: state.planHash }),
    },
    param: state.request.param,
    parseparameters: {
      code: '0',
      msg: messages.parametersOk,
      precmd: '',
      requestCmd: requestCommand(state.request.param),
    },
    print_stdout: String(settings.printStdout),
    respon: {
      chdir: settings.directory,
      cmd: commandLine(state.request.param),
      code: ended ? '1' : '0',
      msg: ended ? messages.executed : messages.executing,
      ret: ended ? (failed ? '1' : '0') : '',
      stderr: reason ?? '',
      stdout: showLog ? state.log.join('\n') : '',
    },
    take: String(takeSeconds(state, nowMs)),
    job: jobView(state),
  };
}

/**
 * `take`: whole seconds from acceptance to the end, or to `nowMs` while the deployment runs. Nothing else of an answer depends
 * on when it is asked for.
 * @param nowMs milliseconds since 1970
 */
export const takeSeconds = (state: DeploymentState, nowMs: number): number =>
  Math.round(((isTerminal(state.state) ? state.lastMs : nowMs) - state.acceptedMs) / 1000);

/** `job` of the answer, also one row of the history. */
export function jobView(state: DeploymentState): JobView {
  const instances = Object.values(state.instances);
  const sum = (pick: 'bytes' | 'bytesTotal') => instances.reduce((total, instance) => total + instance[pick], 0);
  return {
    id: state.id,
    state: state.state,
    k: state.request.k,
    action: state.request.action,
    created_at: new Date(state.acceptedMs).toISOString(),
    url: `/jobs/${state.id}`,
    events: `/jobs/${state.id}/events`,
    progress: {
      done: String(countDone(state)),
      total: String(state.request.batches.flat().length),
      instance: state.current?.instance ?? '',
      step: state.current?.step ?? '',
      bytes: String(sum('bytes')),
      bytes_total: String(sum('bytesTotal')),
    },
    ...(state.waiting === undefined ? {} : { why: whyWaiting(state.waiting) }),
    ...(state.state === 'failed' || state.state === 'cancelled' ? { rollback: rollbackOf(state) } : {}),
  };
}

/** `none`: nothing had to be put back, or it was left on purpose. */
export function rollbackOf(state: Pick<DeploymentState, 'instances'>): 'done' | 'failed' | 'none' {
  if (isLeftBehind(state)) return 'failed';
  const instances = Object.values(state.instances);
  return instances.some(({ steps }) => steps.some(({ status }) => status === 'undone')) ? 'done' : 'none';
}

function dataMessage(state: DeploymentState, reason: string | undefined): string {
  const { k, action } = state.request;
  if (reason !== undefined) return reason;
  if (state.state !== 'succeeded') {
    if (action === 'release') return messages.isReleasing(k);
    return SUCCEEDS.has(action) ? messages.executing : messages.inProgress(k);
  }
  if (state.request.dryRun) return messages.dryRunFinished(k);
  if (SUCCEEDS.has(action)) return messages.succeeded;
  if (state.request.action === 'converge' && state.batches.length === 0) {
    return messages.allConverged(k, Object.keys(state.instances).join(' '));
  }
  if (action === 'check') return messages.checkFinished(k);
  return messages.allFinished(k);
}

/** Actions whose answer says so in one word, as the original's does. */
const SUCCEEDS: ReadonlySet<string> = new Set(['release', 'checkurl', 'queryk', 'updatek', 'service', 'unlock']);

function failureText(state: DeploymentState): string {
  return state.error === undefined ? state.state : sentence(state.error);
}

function batches(state: DeploymentState, timezone: string): Leaves {
  const rows = actionRows(state);
  if (rows !== undefined) return rows;
  if (state.request.dryRun)
    return list(Object.entries(state.differences).map(([key, row]) => differenceView(key, row)));
  const views: Leaves[] = [];
  for (const batch of state.batches) {
    if (batch.status === 'finished' || batch.status === 'failed') views.push(batchView(batch, state, timezone));
  }
  const isRelease = state.request.action === 'release';
  if (state.state === 'succeeded' && !isRelease)
    views.push({ code: '0', msg: messages.deployFinished(state.request.k) });
  return list(views);
}

function batchView(batch: BatchState, state: DeploymentState, timezone: string): Leaves {
  const records = batch.instances.flatMap((key) => {
    const record = state.instances[key]?.record;
    return record === undefined ? [] : [instanceRecord(key, record, state, timezone)];
  });
  const failed = batch.status === 'failed';
  return {
    code: failed ? '-1' : '0',
    data: list(records),
    endtime: localTime(batch.endedMs ?? state.lastMs, timezone),
    msg: failed ? (batch.message ?? '') : finishedMessage(batch, state),
    starttime: localTime(batch.startedMs ?? state.lastMs, timezone),
  };
}

const finishedMessage = (batch: BatchState, { request }: DeploymentState): string =>
  request.action === 'release'
    ? messages.releaseFinished(request.k)
    : messages.batchFinished(batch.instances.join(' '));

/** The 18 documented fields; times and takes are whole seconds, so that they agree with each other. */
function instanceRecord(key: string, facts: RecordFacts, state: DeploymentState, timezone: string): InstanceRecord {
  const time = (ms: number) => localTime(ms, timezone);
  const seconds = (from: number, to: number) => Math.floor(to / 1000) - Math.floor(from / 1000);
  const { startMs, stagedMs, startAppMs, endMs } = facts;
  const total = `Total Take:${seconds(startMs, endMs)}`;
  const startApp = `Start App Time:${seconds(startAppMs, endMs)}`;
  const isRollback = state.request.action === 'rollback';
  const { marked, rolledBack } = state.instances[key] ?? {};
  return {
    deloy_configdir_after: facts.config?.after ?? {},
    deloy_configdir_before: facts.config?.real ?? {},
    deloy_prodir_after: facts.program.after,
    deloy_prodir_before: facts.program.real ?? {},
    deloy_prodir_real_before: {},
    deloy_size: facts.size,
    deploy_ip: facts.host,
    deploy_key: key,
    // A rollback transfers nothing; the two spaces are the original's.
    deploy_take: isRollback
      ? `${total}  || ${startApp}`
      : `${total} || Rsync Time:${seconds(startMs, stagedMs)} || ${startApp}`,
    end_time: time(endMs),
    processNumber: facts.processNumber === undefined ? {} : String(facts.processNumber),
    randomStr: facts.randomStr,
    rollRecord: isRollback ? '1' : '0',
    rollStatus: marked === true ? '1' : '0',
    rollbackNumber: String(rolledBack ?? 0),
    rsync_war_time: time(stagedMs),
    start_app_time: time(startAppMs),
    start_time: time(startMs),
  };
}

function differenceView(key: string, row: { program: Difference; config?: Difference | undefined }): DifferenceRow {
  const view = (difference: Difference) => ({
    added: String(difference.added),
    changed: String(difference.changed),
    removed: String(difference.removed),
    unchanged: String(difference.unchanged),
    bytes: String(difference.bytes),
    paths: list(difference.paths),
  });
  return {
    code: '0',
    deploy_key: key,
    program: view(row.program),
    config: row.config === undefined ? {} : view(row.config),
  };
}
