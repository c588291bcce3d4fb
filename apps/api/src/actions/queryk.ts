import { queryWeightsParamsSchema } from '@rexdeploy/shared/api/action-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { wantedWait } from '../answers/wanted-wait.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';
import { startLook } from './start-look.js';

const WORDING = { missing: (names: string) => messages.missingParams('queryk', names) };

/** `action=queryk`: weight and rotation of each instance, as its balancer tells them now. */
export const queryk =
  (parts: ApiParts): Action =>
  async (call) => {
    const { k, wait, sprint } = checkParams(queryWeightsParamsSchema, call.params, WORDING);
    const target = findAllowedTarget(call.caller, parts.config.own, k);
    const wanted = wantedWait(wait, call.request);
    return startLook(parts, call, { action: 'queryk', k, target, sprint: sprint === '1', wait: wanted });
  };
