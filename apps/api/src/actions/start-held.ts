import type { HeldParams } from '@rexdeploy/shared/api/action-params';
import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { Target } from '@rexdeploy/shared/config/resolved';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
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

/**
 * Accepts a job that holds its name and brings no release, such as a restart. Freeze windows are about releases: it goes
 * through them.
 * @param find what the action wants to be done to the target, checked as far as it can be without a host
 */
export async function startHeld(
  parts: ApiParts,
  { request, reply, caller }: ActionCall,
  action: string,
  checked: HeldParams,
  find: (target: Target) => Pick<DeployRequest, 'batches'> & Partial<Pick<DeployRequest, 'service' | 'weight'>>,
): Promise<Envelope> {
  const idempotencyKey = idempotencyKeyOf(request);
  const wait = wantedWait(checked.wait, request);
  mustDeploy(caller);
  if (checked.force === '1') mustAdminister(caller);
  const target = findAllowedTarget(caller, parts.config.own, checked.k);
  const asked: DeployRequest = {
    action,
    k: checked.k.trim().replace(/ +/g, ' '),
    name: target.name.k,
    source: { kind: 'none' },
    full: '1',
    dryRun: false,
    ...find(target),
    sprint: checked.sprint === '1',
    force: checked.force === '1',
    param: shownParams(request),
    by: caller.name,
  };
  const { id, isNew, waits } = await askRedis(
    () => acceptDeployment(parts.redis, parts.keys, asked, { idempotencyKey, whenBusy: checked.when_busy }),
    'look at GET /jobs before trying again, or try again with the same Idempotency-Key',
  );
  if (isNew && !waits) await queueTicket(parts, id, request.log);
  return answerJob(parts, { request, reply, id, asked, wait });
}
