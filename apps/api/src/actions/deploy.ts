import { deployParamsSchema } from '@rexdeploy/shared/api/deploy-params';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import { messages } from '@rexdeploy/shared/errors/messages';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { answerJob } from '../answers/answer-job.js';
import { shownParams } from '../answers/frame.js';
import { wantedWait } from '../answers/wanted-wait.js';
import { checkParams } from '../params/check.js';
import { idempotencyKeyOf } from '../params/idempotency-key.js';
import type { ApiParts } from '../parts.js';
import { mustDeploy } from '../plugins/auth.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';
import type { Action } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';
import { findSource } from './find-source.js';

const WORDING = {
  missing: (names: string) => messages.missingParams('deploy', names),
  later: ['plan'],
};

/** `action=deploy`: checks all that can be checked without a host, accepts, and answers at once or when it has ended. */
export const deploy =
  (parts: ApiParts): Action =>
  async ({ request, reply, params, caller }) => {
    const checked = checkParams(deployParamsSchema, params, WORDING);
    const idempotencyKey = idempotencyKeyOf(request);
    const wait = wantedWait(checked.wait, request);
    mustDeploy(caller);
    const target = findAllowedTarget(caller, parts.config.own, checked.k);
    const asked: DeployRequest = {
      action: 'deploy',
      k: checked.k.trim().replace(/ +/g, ' '),
      name: target.name.k,
      batches: target.batches,
      source: await findSource(parts, checked, target),
      full: checked.full ?? '1',
      dryRun: checked.dry_run === '1',
      sprint: checked.sprint === '1',
      hold: checked.hold === '1',
      onFailure: checked.on_failure,
      param: shownParams(request),
      by: caller.name,
    };
    const { id, isNew } = await askRedis(
      () => acceptDeployment(parts.redis, parts.keys, asked, idempotencyKey),
      'look at GET /jobs before trying again, or try again with the same Idempotency-Key',
    );
    if (isNew) await queueTicket(parts, id, request.log);
    return answerJob(parts, { request, reply, id, asked, wait });
  };
