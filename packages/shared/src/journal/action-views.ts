import type { CheckRow, CollectedEntry } from '../api/job-answer.js';
import type { Leaves } from '../api/leaves.js';
import { messages } from '../errors/messages.js';
import type { Finding, ObservedInstance, Standing } from './events.js';
import { list } from './list.js';
import { type DeploymentState, isDone, type StepState } from './state.js';

/** Rows of the answers of actions that are no roll-out, in the original's shapes; what ours tell beyond that comes after. */

type Row = Record<string, Leaves>;
const ABSENT: Leaves = {};

/** The rows of such an action; undefined for a roll-out, whose rows are batches. */
export function actionRows(state: DeploymentState): Leaves | undefined {
  switch (state.request.action) {
    case 'check':
      return list(rowsOf(state, state.checks, (key, findings) => checkRow(key, findings, state.standing[key])));
    case 'checkurl':
      return collected(
        state,
        rowsOf(state, state.checks, (key, findings) => healthRow(state, key, findings)),
      );
    case 'queryk':
    case 'updatek':
      return collected(
        state,
        rowsOf(state, state.observed, (key, seen) => weightRow(state, key, seen)),
      );
    case 'service':
      return collected(state, serviceRows(state));
    case 'unlock':
      return state.state === 'succeeded' ? list(['1']) : list([]);
    default:
      return undefined;
  }
}

/** Instances that an action is done with. */
export function countDone(state: DeploymentState): number {
  const all = Object.values(state.instances);
  const stepDone = (name: string): number =>
    all.filter(({ steps }) => steps.some(({ step, status }) => step === name && status === 'done')).length;
  switch (state.request.action) {
    case 'check':
    case 'checkurl':
      return Object.keys(state.checks).length;
    case 'queryk':
    case 'observe':
      return Object.keys(state.observed).length;
    case 'updatek':
      return stepDone('weigh');
    case 'service':
      return stepDone('service');
    default:
      return all.filter(isDone).length;
  }
}

function rowsOf<T>(
  { request }: DeploymentState,
  of: Readonly<Record<string, T>>,
  row: (key: string, value: T) => Row,
): Row[] {
  return request.batches.flat().flatMap((key) => {
    const value = of[key];
    return value === undefined ? [] : [row(key, value)];
  });
}

/** The original gathers what its child processes answered under the process that asked them. */
function collected(state: DeploymentState, rows: readonly Row[]): Leaves {
  if (rows.length === 0) return list([]);
  const mainProcess = processOf(state);
  const entry: CollectedEntry = {
    code: '0',
    count: String(rows.length),
    data: list(rows),
    mainProcess,
    msg: 'success',
  };
  return list([entry]);
}

/** The worker's process: the number behind its name. */
const processOf = ({ worker = '' }: DeploymentState): string => /(\d+)$/.exec(worker)?.[1] ?? '';

function checkRow(key: string, findings: readonly Finding[], stands: Standing | undefined): CheckRow {
  const bad = findings.filter(({ ok }) => !ok);
  return {
    ...(stands === undefined ? {} : standingFields(stands)),
    code: bad.length === 0 ? '0' : '-1',
    deploy_key: key,
    checks: Object.fromEntries(findings.map(({ check, what }) => [check, what])),
    msg: bad.map(({ check, what }) => `${check}: ${what}`).join('; '),
  };
}

function standingFields(stands: Standing): Row {
  return {
    app_config_dir: stands.configDir ?? ABSENT,
    app_pro_dir: stands.programDir,
    app_pro_init: stands.service ?? ABSENT,
    app_pro_key: stands.process ?? ABSENT,
    config_dir: flag(stands.configThere),
    pro_dir: flag(stands.programThere),
    pro_init: flag(stands.serviceThere),
    ps_num: text(stands.processes),
  };
}

/** `[1, key]` for a healthy instance, `[0, key]` for any other. */
function healthRow(state: DeploymentState, key: string, findings: readonly Finding[]): Row {
  const healthy = findings.every(({ ok }) => ok);
  return {
    data: list([healthy ? '1' : '0', key]),
    mainProcess: processOf(state),
    msg: findings.map(({ what }) => what).join('; '),
  };
}

function weightRow(state: DeploymentState, key: string, seen: ObservedInstance): Row {
  const { balancer, host = '' } = seen;
  const members = Object.values(state.observed).filter((other) => other.balancer === balancer);
  const balancers: Row[] =
    balancer === undefined
      ? []
      : [
          {
            backend: list([]),
            backendSetLen: String(members.length),
            loadBalance: balancer,
            loadInfo: {
              backendSet: list(members.map(memberView)),
              code: '0',
              codeDesc: 'Success',
              message: '',
              totalCount: String(members.length),
            },
          },
        ];
  return {
    data: {
      app_key: key,
      code: seen.errors.length === 0 ? '0' : '-1',
      data: list([
        {
          k: key,
          loadBalance: list(balancers),
          loadBalancerId: balancer ?? '',
          loadBalancerIdLength: String(balancers.length),
          network_ip: host,
          weight: weightOf(seen),
          in_rotation: flag(seen.in),
          rotation: seen.rotation ?? ABSENT,
          kept: seen.kept ?? '',
        },
      ]),
      msg: seen.errors.length === 0 ? 'success' : seen.errors.join('; '),
      params: { file: '', k: key },
    },
    mainProcess: processOf(state),
  };
}

/** `instanceStatus`: `2` runs, as far as the balancer knows; `0` its own check says down. */
function memberView(seen: ObservedInstance): Row {
  const host = seen.host ?? '';
  return {
    instanceId: seen.instance,
    instanceName: seen.instance,
    instanceStatus: seen.up === false ? '0' : '2',
    lanIp: host,
    unInstanceId: seen.instance,
    wanIpSet: list([host]),
    weight: weightOf(seen),
  };
}

/** As it counts now: an instance out of rotation has none, whatever weight waits for it. */
const weightOf = (seen: ObservedInstance): Leaves => (seen.in === false ? '0' : text(seen.weight));

function serviceRows(state: DeploymentState): Row[] {
  const verb = state.request.service ?? '';
  return state.request.batches.flat().flatMap((key): Row[] => {
    const steps = state.instances[key]?.steps ?? [];
    const step = steps.find((each) => each.step === 'service');
    const failed = steps.find((each) => each.error !== undefined);
    if (step === undefined && failed === undefined) return [];
    const done = step?.status === 'done' && failed === undefined;
    return [
      {
        data: {
          after: { result_code: fact(step, 'facts', 'processes') },
          app_key: key,
          before: { processNumber: fact(step, 'found', 'processes') },
          config: serviceConfig(step, verb),
          msg: done
            ? messages.serviceDone(key, verb)
            : `${messages.serviceFailed(key, verb)} ${failed?.error?.what ?? ''}`.trim(),
          status: done ? '1' : '0',
        },
        mainProcess: processOf(state),
      },
    ];
  });
}

/** What the configuration holds of the original's inventory row. */
function serviceConfig(step: StepState | undefined, verb: string): Leaves {
  const config = step?.found.config;
  const row: Row = { action: verb };
  if (config === null || typeof config !== 'object') return row;
  for (const [name, value] of Object.entries(config)) row[name] = typeof value === 'string' ? value : ABSENT;
  return row;
}

function fact(step: StepState | undefined, of: 'found' | 'facts', name: string): Leaves {
  const value = step?.[of][name];
  return typeof value === 'number' ? String(value) : ABSENT;
}

const flag = (value: boolean | undefined): Leaves => (value === undefined ? ABSENT : value ? '1' : '0');
const text = (value: number | undefined): Leaves => (value === undefined ? ABSENT : String(value));
