import type { JobView } from '@rexdeploy/shared/api/envelope-schema';
import type { NoticeType } from '@rexdeploy/shared/config/notify';
import type { Config } from '@rexdeploy/shared/config/resolved';
import type { ErrorRecord } from '@rexdeploy/shared/errors/rex-error';
import { jobView, rollbackOf } from '@rexdeploy/shared/journal/envelope';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import type { Entry } from '@rexdeploy/shared/journal/journal';
import { fold } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';

/** An instance that is left as it is; what is not known is absent. */
export interface LeftInstance {
  instance: string;
  why: string;
  /** On purpose. */
  kept: boolean;
  linked?: string | undefined;
  /** As the balancer says it. */
  rotation?: string | undefined;
  running?: boolean | undefined;
}

/** What people are told: one event of a deployment, and how the deployment stood then. */
export interface Notice {
  type: NoticeType;
  deployment: string;
  k: string;
  name: string;
  action: string;
  state: string;
  at: string;
  by: string;
  environment: { key: string; desc: string };
  /** Of `batch` and `held`: the batch that is done; counts from 1. */
  batch?: { number: number; of: number; instances: string[] } | undefined;
  instances: string[];
  error?: ErrorRecord | undefined;
  /** Of `failed`: whether what had been changed was put back. */
  rollback?: 'done' | 'failed' | 'none' | undefined;
  left: LeftInstance[];
  /** Address of the job; to read it changes nothing. */
  url: string;
  job: JobView;
}

/** Actions that people are told of; such that only look, or unlock, are none. */
const ROLLOUTS: ReadonlySet<string> = new Set(['deploy', 'release', 'rollback', 'converge']);
const SWEEP = 'sweep';

/** The kind of notice that an event is; undefined when nobody is told of it. */
export function noticeTypeOf(event: JournalEvent, request: DeployRequest): NoticeType | undefined {
  if (request.dryRun || !(ROLLOUTS.has(request.action) || request.action === SWEEP)) return undefined;
  if (event.type === 'finished') return event.state === 'failed' ? 'failed' : 'finished';
  // Of what gives instances back by itself, only the end is of interest.
  if (request.action === SWEEP) return undefined;
  if (event.type === 'claimed') return event.epoch === 1 ? 'started' : undefined;
  if (event.type === 'batch-finished') return 'batch';
  return event.type === 'held' ? 'held' : undefined;
}

/**
 * Makes the notice of one entry, as the deployment stood with it.
 * @returns undefined when the journal has no such entry, or nobody is told of it
 */
export function noticeOf(entries: readonly Entry[], entryId: string, config: Config): Notice | undefined {
  const at = entries.findIndex(({ id }) => id === entryId);
  const event = entries[at]?.event;
  const state = fold(entries.slice(0, at + 1).map((entry) => entry.event));
  if (event === undefined || state === undefined) return undefined;
  const type = noticeTypeOf(event, state.request);
  if (type === undefined) return undefined;
  const { request } = state;
  return {
    type,
    deployment: state.id,
    k: request.k,
    name: request.name,
    action: request.action,
    state: state.state,
    at: event.at,
    by: request.by,
    environment: { key: config.own.key, desc: config.own.desc },
    batch: 'batch' in event ? batchOf(state, event.batch) : undefined,
    instances: request.batches.flat(),
    error: event.type === 'finished' ? event.error : undefined,
    rollback: type === 'failed' ? rollbackOf(state) : undefined,
    left: leftIn(state),
    url: `${baseUrl(config)}/jobs/${state.id}`,
    job: jobView(state),
  };
}

const batchOf = ({ batches }: DeploymentState, index: number): Notice['batch'] => ({
  number: index + 1,
  of: batches.length,
  instances: batches[index]?.instances ?? [],
});

function leftIn({ instances }: DeploymentState): LeftInstance[] {
  return Object.values(instances).flatMap(({ instance, left }) => {
    if (left === undefined) return [];
    const { why, kept = false, linked, rotation, processes } = left;
    return [{ instance, why, kept, linked, rotation, running: processes === undefined ? undefined : processes > 0 }];
  });
}

function baseUrl({ api }: Config): string {
  if (api.publicUrl !== '') return api.publicUrl;
  // A port that the API chose by itself is known to the API alone: then the path has to do.
  if (api.port === 0) return '';
  return `http://${api.host.includes(':') ? `[${api.host}]` : api.host}:${api.port}`;
}
