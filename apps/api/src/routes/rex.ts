import type { ActionName } from '@rexdeploy/shared/api/actions';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import type { Action } from '../actions/action.js';
import { check } from '../actions/check.js';
import { converge } from '../actions/converge.js';
import { deploy } from '../actions/deploy.js';
import { initdb } from '../actions/initdb.js';
import { mark } from '../actions/mark.js';
import { rollback } from '../actions/rollback.js';
import { nothingReceived } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf } from '../plugins/auth.js';

const LONGEST_SHOWN = 80;

/** `POST /rex`: one action, named by the parameter `action`. */
export async function rexRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const actions = new Map<string, Action>(
    Object.entries({
      deploy: deploy(parts),
      rollback: rollback(parts),
      converge: converge(parts),
      mark: mark(parts),
      check: check(parts),
      'Deploy:Db:initdb': initdb(parts),
    } satisfies Record<ActionName, Action>),
  );

  app.post('/rex', { config: { access: 'token' } }, async (request, reply) => {
    const { values: params } = request.received ?? nothingReceived;
    if (Object.keys(params).every((name) => name === 'token')) throw new ParameterError({ what: messages.noBody });
    const { action } = params;
    if (action === undefined || action === '') throw new ParameterError({ what: messages.noAction });
    const run = actions.get(action);
    if (run === undefined) {
      const whatToDo = `expected ${[...actions.keys()].join(' or ')}`;
      throw new ParameterError({ what: messages.unknownAction(action.slice(0, LONGEST_SHOWN)), whatToDo });
    }
    return run({ request, reply, params, caller: callerOf(request) });
  });
}
