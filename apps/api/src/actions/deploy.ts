import { deployParamsSchema } from '@rexdeploy/shared/api/deploy-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findSource } from './find-source.js';
import { mustKnowPlan } from './planned.js';
import { startRollout } from './start-rollout.js';

const WORDING = { missing: (names: string) => messages.missingParams('deploy', names) };

/** `action=deploy`: checks all that can be checked without a host, accepts, and answers at once or when it has ended. */
export const deploy =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(deployParamsSchema, call.params, WORDING);
    const dryRun = checked.dry_run === '1';
    return startRollout(parts, call, checked, async (target) => {
      if (checked.plan !== undefined) await mustKnowPlan(parts, checked.plan, target, dryRun);
      const source = await findSource(parts, checked, target);
      return { source, full: checked.full ?? '1', dryRun, plan: checked.plan };
    });
  };
