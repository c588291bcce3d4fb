import { checkParamsSchema } from '@rexdeploy/shared/api/check-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { wantedWait } from '../answers/wanted-wait.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import { mustDeploy } from '../plugins/auth.js';
import type { Action } from './action.js';
import { findAllowedTarget } from './find-allowed-target.js';
import { startLook } from './start-look.js';

const WORDING = { missing: (names: string) => messages.missingParams('check', names) };

/** `action=check`: looks at all that a deployment would need. */
export const check =
  (parts: ApiParts): Action =>
  async (call) => {
    const { k, wait, sprint } = checkParams(checkParamsSchema, call.params, WORDING);
    const wanted = wantedWait(wait, call.request);
    mustDeploy(call.caller);
    const target = findAllowedTarget(call.caller, parts.config.own, k);
    return startLook(parts, call, { action: 'check', k, target, sprint: sprint === '1', wait: wanted });
  };
