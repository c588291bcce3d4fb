import { deployParamsSchema } from '@rexdeploy/shared/api/deploy-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findSource } from './find-source.js';
import { startRollout } from './start-rollout.js';

const WORDING = {
  missing: (names: string) => messages.missingParams('deploy', names),
  later: ['plan'],
};

/** `action=deploy`: checks all that can be checked without a host, accepts, and answers at once or when it has ended. */
export const deploy =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(deployParamsSchema, call.params, WORDING);
    return startRollout(parts, call, checked, async (target) => ({
      source: await findSource(parts, checked, target),
      full: checked.full ?? '1',
      dryRun: checked.dry_run === '1',
    }));
  };
