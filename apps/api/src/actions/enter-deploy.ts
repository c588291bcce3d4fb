import { enterDeployParamsSchema } from '@rexdeploy/shared/api/action-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { checkParams } from '../params/check.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';
import { deploy } from './deploy.js';

const ACTION = 'Enter:deploy:main';
const WORDING = { missing: (names: string) => messages.missingParams(ACTION, names) };

/**
 * `action=Enter:deploy:main`: `deploy` of hand-picked instances. A name in their place is refused: the original deployed
 * all its servers then, past balancer and health check.
 */
export const enterDeploy = (parts: ApiParts): Action => {
  const run = deploy(parts);
  return async (call) => {
    const { k } = checkParams(enterDeployParamsSchema, call.params, WORDING);
    const { names } = parts.config.own;
    const name = k.split(' ').find((word) => names.has(word));
    if (name !== undefined) {
      const keys = [...(names.get(name)?.instances.keys() ?? [])].join(' ');
      throw new ParameterError({
        what: `k=${quote(k)}: ${quote(name)} is a name, and ${ACTION} takes instance keys of one name`,
        whatToDo: `give some of ${quote(keys)}, or use action=deploy for the whole name`,
      });
    }
    return run({ ...call, params: { ...call.params, action: 'deploy' } });
  };
};
