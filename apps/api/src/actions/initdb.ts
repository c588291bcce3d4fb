import { unlockParamsSchema } from '@rexdeploy/shared/api/unlock-params';
import type { ResolvedName } from '@rexdeploy/shared/config/resolved';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import { askDeployment } from '@rexdeploy/shared/deployments/control';
import { freeName } from '@rexdeploy/shared/deployments/free-name';
import type { DeploymentHead } from '@rexdeploy/shared/deployments/list';
import { JournalError, NameBusyError, NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import { list } from '@rexdeploy/shared/journal/envelope';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { isTerminal, type JobState } from '@rexdeploy/shared/journal/state';
import { allowsName } from '@rexdeploy/shared/tokens';
import { answerJob } from '../answers/answer-job.js';
import { answerOf, shownParams } from '../answers/frame.js';
import { wantedWait } from '../answers/wanted-wait.js';
import { waitForEnd } from '../journal/follow.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import { mustAdminister } from '../plugins/auth.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';
import type { Action, ActionCall } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';

/** A worker tells every few seconds that it lives. */
const WORKER_SILENCE_MS = 30_000;
/** Longest that a deployment which is cancelled first may take to bring back what it has in hand. */
const CANCEL_LIMIT_MS = 60_000;

/**
 * `action=Deploy:Db:initdb`: frees a name whose deployment is gone, and its hosts from locks that were left behind. One
 * that lives is named and left alone, unless `force=1` cancels it first.
 */
export const initdb =
  (parts: ApiParts): Action =>
  async (call) => {
    const { request, reply, params, caller } = call;
    const checked = checkParams(unlockParamsSchema, params);
    const wait = wantedWait(checked.wait, request);
    mustAdminister(caller);
    const { names } = parts.config.own;
    const force = checked.force === '1';
    if (checked.k !== undefined) {
      const { name } = findAllowedTarget(caller, parts.config.own, checked.k);
      const asked = requestFor(call, name, force);
      const id = await unlockName(parts, call, asked);
      return answerJob(parts, { request, reply, id, asked, wait });
    }
    const jobs: Record<string, string>[] = [];
    const busy: string[] = [];
    for (const name of [...names.values()].filter(({ k }) => allowsName(caller, k))) {
      try {
        jobs.push({ k: name.k, job: await unlockName(parts, call, requestFor(call, name, force)) });
      } catch (error) {
        // One that lives is no reason to leave the others locked.
        if (!(error instanceof NameBusyError)) throw error;
        busy.push(error.message);
      }
    }
    reply.code(202);
    const msg = [`${jobs.length} names are being unlocked`, ...busy].join('; ');
    return answerOf(request, reply, parts.config, { data: list(jobs), msg });
  };

function requestFor({ request, caller }: ActionCall, name: ResolvedName, force: boolean): DeployRequest {
  return {
    action: 'unlock',
    k: name.k,
    name: name.k,
    batches: [[...name.instances.keys()]],
    source: { kind: 'none' },
    full: '1',
    dryRun: false,
    sprint: false,
    force,
    param: shownParams(request),
    by: caller.name,
  };
}

/** @returns id of the job that frees the hosts. @throws NameBusyError naming the deployment that lives */
async function unlockName(parts: ApiParts, call: ActionCall, asked: DeployRequest): Promise<string> {
  const { redis, keys } = parts;
  const id = await askRedis(() => redis.get(keys.lock(asked.name)));
  if (id !== null) {
    const owner = await livingOwner(parts, id);
    if (owner !== undefined && asked.force !== true) throw busy(owner.head, owner.worker);
    // What cannot be read cannot be waited for either: its worker finds itself refused.
    return unlockAfter(parts, call, asked, owner?.readable === true ? owner.head : id);
  }
  const accepted = await askRedis(() => acceptDeployment(redis, keys, asked));
  await queueTicket(parts, accepted.id, call.request.log);
  return accepted.id;
}

/**
 * Gets the name from its owner, before all that wait for it: what is left on the hosts would fail them.
 * @param owner one that lives and is to be cancelled, or the id of one that is gone
 */
async function unlockAfter(
  parts: ApiParts,
  call: ActionCall,
  asked: DeployRequest,
  owner: DeploymentHead | string,
): Promise<string> {
  const { redis, keys } = parts;
  const { id, waits } = await askRedis(() => acceptDeployment(redis, keys, asked, { whenBusy: 'first' }));
  if (!waits) await queueTicket(parts, id, call.request.log);
  else if (typeof owner === 'string') {
    const next = await askRedis(() => freeName(redis, keys, { name: asked.name, id: owner, by: call.caller.name }));
    if (next !== undefined) await queueTicket(parts, next, call.request.log);
  } else {
    try {
      await cancelFirst(parts, call, owner);
    } catch (error) {
      await askRedis(() => askDeployment(redis, keys, { id, name: asked.name }, 'cancel', call.caller.name));
      throw error;
    }
  }
  return id;
}

interface Owner {
  head: DeploymentHead;
  worker: string | undefined;
  /** By this version. */
  readable: boolean;
}

/** The lock's owner, unless it is certain that it is gone: unknown, ended, or with a journal that nobody can go on with. */
async function livingOwner(parts: ApiParts, id: string): Promise<Owner | undefined> {
  const { deployments } = parts;
  try {
    const head = await deployments.head(id);
    if (isTerminal(head.state as JobState)) return undefined;
    try {
      return { head, worker: (await deployments.find(id)).state.worker, readable: true };
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      const worker = head.state === 'running' ? await livingWorker(parts, id) : undefined;
      return worker === undefined ? undefined : { head, worker, readable: false };
    }
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** A worker of a newer version may read what this one cannot. @returns the owner, where it has shown a sign of life */
async function livingWorker({ redis, keys }: ApiParts, id: string): Promise<string | undefined> {
  return askRedis(async () => {
    const worker = await redis.hget(keys.record(id), 'worker');
    const seen = worker === null ? null : await redis.zscore(keys.workers, worker);
    return worker === null || Date.now() - Number(seen ?? 0) > WORKER_SILENCE_MS ? undefined : worker;
  });
}

async function cancelFirst(
  parts: ApiParts,
  { request, reply, caller }: ActionCall,
  owner: DeploymentHead,
): Promise<void> {
  const { id } = owner;
  const asked = await askRedis(() => askDeployment(parts.redis, parts.keys, owner, 'cancel', caller.name));
  if (asked.outcome === 'woken') await queueTicket(parts, id, request.log, asked.ticket);
  if (asked.outcome === 'cancelled' && asked.next !== undefined) await queueTicket(parts, asked.next, request.log);
  const { state } = await waitForEnd(parts, id, request.server.lifeOf(reply, CANCEL_LIMIT_MS));
  if (!isTerminal(state.state)) throw busy(owner, state.worker);
}

function busy(owner: DeploymentHead, worker: string | undefined): NameBusyError {
  const since = new Date(owner.createdMs).toISOString();
  const who = worker === undefined ? '' : `, worker ${worker}`;
  return new NameBusyError({
    what: `(${owner.name})--is held by ${owner.id}, which is ${owner.state} since ${since}${who}`,
    whatToDo: 'wait for it or cancel it; force=1 cancels it first',
    deploymentId: owner.id,
  });
}
