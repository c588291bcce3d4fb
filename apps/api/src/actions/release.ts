import { releaseParamsSchema } from '@rexdeploy/shared/api/action-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findSource } from './find-source.js';
import { mustKnowPlan } from './planned.js';
import { startRollout } from './start-rollout.js';

const WORDING = { missing: (names: string) => messages.missingParams('release', names) };

/** `action=release`: as `deploy`, past the balancer and in one batch of all. */
export const release =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(releaseParamsSchema, call.params, WORDING);
    const dryRun = checked.dry_run === '1';
    return startRollout(parts, call, checked, async ({ name, batches }) => {
      const together = { name, batches: [batches.flat()] };
      if (checked.plan !== undefined) await mustKnowPlan(parts, checked.plan, together, dryRun);
      const source = await findSource(parts, checked, together);
      return { batches: together.batches, source, full: checked.full ?? '1', dryRun, plan: checked.plan };
    });
  };
