import { serviceParamsSchema } from '@rexdeploy/shared/api/action-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { startHeld } from './start-held.js';

const WORDING = { missing: (names: string) => messages.missingParams('service', names) };

/** `action=service`: starts, stops or restarts instances, one after another. */
export const service =
  (parts: ApiParts): Action =>
  async (call) => {
    const checked = checkParams(serviceParamsSchema, call.params, WORDING);
    return startHeld(parts, call, 'service', checked, ({ name, batches }) => {
      const keys = batches.flat();
      const without = keys.filter((key) => name.instances.get(key)?.service === undefined);
      if (without.length > 0) {
        throw new ParameterError({
          what: `${without.join(' ')}: no \`service\` is configured, so there is nothing to ${checked.a}`,
        });
      }
      return { batches: keys.map((key) => [key]), service: checked.a };
    });
  };
