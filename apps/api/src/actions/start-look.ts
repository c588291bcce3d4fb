import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import type { Target } from '@rexdeploy/shared/config/resolved';
import { acceptLook } from '@rexdeploy/shared/deployments/accept-free';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { answerJob } from '../answers/answer-job.js';
import { shownParams } from '../answers/frame.js';
import type { WantedWait } from '../answers/wanted-wait.js';
import type { ApiParts } from '../parts.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';
import type { ActionCall } from './action.js';

/** What is to be looked at, and how long the client waits for it. */
interface Look {
  action: string;
  k: string;
  target: Target;
  sprint: boolean;
  wait: WantedWait;
}

/** Has a worker look at hosts and balancers. Takes no name, so it also works while one is deployed. */
export async function startLook(
  parts: ApiParts,
  { request, reply, caller }: ActionCall,
  { action, k, target, sprint, wait }: Look,
): Promise<Envelope> {
  const asked: DeployRequest = {
    action,
    k: k.trim().replace(/ +/g, ' '),
    name: target.name.k,
    batches: target.batches,
    source: { kind: 'none' },
    full: '1',
    dryRun: false,
    sprint,
    param: shownParams(request),
    by: caller.name,
  };
  const id = await askRedis(() => acceptLook(parts.redis, parts.keys, asked));
  await queueTicket(parts, id, request.log);
  return answerJob(parts, { request, reply, id, asked, wait });
}
