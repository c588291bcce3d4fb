import { checkParamsSchema } from '@rexdeploy/shared/api/check-params';
import { acceptLook } from '@rexdeploy/shared/deployments/accept-free';
import { messages } from '@rexdeploy/shared/errors/messages';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { answerJob } from '../answers/answer-job.js';
import { shownParams } from '../answers/frame.js';
import { wantedWait } from '../answers/wanted-wait.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import { mustDeploy } from '../plugins/auth.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';
import type { Action } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';

const WORDING = { missing: (names: string) => messages.missingParams('check', names) };

/** `action=check`: looks at all that a deployment would need. Takes no name, so it also works while one is deployed. */
export const check =
  (parts: ApiParts): Action =>
  async ({ request, reply, params, caller }) => {
    const checked = checkParams(checkParamsSchema, params, WORDING);
    const wait = wantedWait(checked.wait, request);
    mustDeploy(caller);
    const target = findAllowedTarget(caller, parts.config.own, checked.k);
    const asked: DeployRequest = {
      action: 'check',
      k: checked.k.trim().replace(/ +/g, ' '),
      name: target.name.k,
      batches: target.batches,
      source: { kind: 'none' },
      full: '1',
      dryRun: false,
      sprint: checked.sprint === '1',
      param: shownParams(request),
      by: caller.name,
    };
    const id = await askRedis(() => acceptLook(parts.redis, parts.keys, asked));
    await queueTicket(parts, id, request.log);
    return answerJob(parts, { request, reply, id, asked, wait });
  };
