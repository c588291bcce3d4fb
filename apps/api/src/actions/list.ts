import { listParamsSchema } from '@rexdeploy/shared/api/action-params';
import { messages } from '@rexdeploy/shared/errors/messages';
import { list as listOf } from '@rexdeploy/shared/journal/envelope';
import { allowsName } from '@rexdeploy/shared/tokens';
import { answerOf } from '../answers/frame.js';
import { checkParams } from '../params/check.js';
import type { ApiParts } from '../parts.js';
import type { Action } from './action.js';

/** `action=list`: the names, then their instance keys and how many these are. `GET /names` tells more. */
export const list =
  ({ config }: ApiParts): Action =>
  async ({ request, reply, params, caller }) => {
    checkParams(listParamsSchema, params);
    const names = [...config.own.names.values()]
      .filter(({ k }) => allowsName(caller, k))
      .sort((one, other) => (one.k < other.k ? -1 : 1));
    const keys = names.flatMap(({ instances }) => [...instances.keys()]);
    const data = listOf([names.map(({ k }) => k).join(' '), [...keys, String(keys.length)].join(' ')]);
    return answerOf(request, reply, config, { data, msg: messages.succeeded });
  };
