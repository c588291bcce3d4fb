import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { RolloutParams } from '@rexdeploy/shared/api/rollout-params';
import { isExempt, refuseFrozen } from '@rexdeploy/shared/config/freeze';
import type { Target } from '@rexdeploy/shared/config/resolved';
import { acceptDeployment, isRepeated } from '@rexdeploy/shared/deployments/accept';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { maskSecretsIn } from '@rexdeploy/shared/mask';
import { answerJob } from '../answers/answer-job.js';
import { shownParams } from '../answers/frame.js';
import { wantedWait } from '../answers/wanted-wait.js';
import { idempotencyKeyOf } from '../params/idempotency-key.js';
import type { ApiParts } from '../parts.js';
import { mustAdminister, mustDeploy } from '../plugins/auth.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';
import type { ActionCall } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';
import { waitForPlan } from './planned.js';

/** Longest that an answer waits to tell whether the plan holds. */
const PLAN_LIMIT_MS = 30_000;

/** What one action adds to the request that all have in common. */
export type Wanted = Pick<DeployRequest, 'source'> &
  Partial<Pick<DeployRequest, 'batches' | 'full' | 'dryRun' | 'plan'>>;

/**
 * Accepts a roll-out, and answers at once or when it has ended.
 * @param checked parameters of the action, checked against its own schema
 * @param find what the action wants to be done to the target, checked as far as it can be without a host
 */
export async function startRollout(
  parts: ApiParts,
  { request, reply, caller }: ActionCall,
  checked: RolloutParams & { action: string },
  find: (target: Target) => Wanted | Promise<Wanted>,
): Promise<Envelope> {
  const idempotencyKey = idempotencyKeyOf(request);
  const wait = wantedWait(checked.wait, request);
  mustDeploy(caller);
  if (checked.force === '1') mustAdminister(caller);
  const target = findAllowedTarget(caller, parts.config.own, checked.k);
  const wanted = await find(target);
  const { source, address } = conceal(wanted.source);
  const asked: DeployRequest = {
    action: checked.action,
    k: checked.k.trim().replace(/ +/g, ' '),
    name: target.name.k,
    batches: target.batches,
    full: '1',
    dryRun: false,
    ...wanted,
    source,
    sprint: checked.sprint === '1',
    hold: checked.hold === '1',
    onFailure: checked.on_failure,
    force: checked.force === '1',
    param: shownParams(request),
    by: caller.name,
  };
  await refuseUnlessOpen(parts, target, asked, idempotencyKey);
  const { id, isNew, waits } = await askRedis(
    () => acceptDeployment(parts.redis, parts.keys, asked, { idempotencyKey, whenBusy: checked.when_busy, address }),
    'look at GET /jobs before trying again, or try again with the same Idempotency-Key',
  );
  if (isNew && !waits) await queueTicket(parts, id, request.log);
  // Whether the plan still holds is known to the hosts alone: the answer waits for the worker that asks them.
  if (asked.plan !== undefined && !waits) await waitForPlan(parts, id, request.server.lifeOf(reply, PLAN_LIMIT_MS));
  return answerJob(parts, { request, reply, id, asked, wait });
}

/** A signed address lets everybody in who sees it: what is stored and shown has it masked, and only the record all of it. */
function conceal(source: DeployRequest['source']): { source: DeployRequest['source']; address?: string } {
  if (source.kind !== 'url') return { source };
  const url = maskSecretsIn(source.url);
  return url === source.url ? { source } : { source: { ...source, url }, address: source.url };
}

/** @throws FrozenError inside a freeze window. What touches nothing, or was accepted before, goes through. */
async function refuseUnlessOpen(
  { config, redis, keys }: ApiParts,
  { name }: Target,
  asked: DeployRequest,
  idempotencyKey: string | undefined,
): Promise<void> {
  if (isExempt(asked)) return;
  try {
    refuseFrozen(config, name, Date.now());
  } catch (error) {
    const repeated =
      idempotencyKey !== undefined && (await askRedis(() => isRepeated(redis, keys, asked, idempotencyKey)));
    if (!repeated) throw error;
  }
}
