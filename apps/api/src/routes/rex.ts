import type { ActionName } from '@rexdeploy/shared/api/actions';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import type { Action } from '../actions/action.js';
import { check } from '../actions/check.js';
import { checkurl } from '../actions/checkurl.js';
import { converge } from '../actions/converge.js';
import { deploy } from '../actions/deploy.js';
import { enterDeploy } from '../actions/enter-deploy.js';
import { initdb } from '../actions/initdb.js';
import { leftOut } from '../actions/left-out.js';
import { list } from '../actions/list.js';
import { mark } from '../actions/mark.js';
import { queryk } from '../actions/queryk.js';
import { release } from '../actions/release.js';
import { rollback } from '../actions/rollback.js';
import { service } from '../actions/service.js';
import { updatek } from '../actions/updatek.js';
import { nothingReceived } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf } from '../plugins/auth.js';

const LONGEST_SHOWN = 80;

/** `POST /rex`: one action, named by the parameter `action`. */
export async function rexRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const actions = new Map<string, Action>(
    Object.entries({
      deploy: deploy(parts),
      'Enter:deploy:main': enterDeploy(parts),
      release: release(parts),
      rollback: rollback(parts),
      converge: converge(parts),
      mark: mark(parts),
      check: check(parts),
      list: list(parts),
      checkurl: checkurl(parts),
      service: service(parts),
      queryk: queryk(parts),
      updatek: updatek(parts),
      'Deploy:Db:initdb': initdb(parts),
      // What the original called them too.
      'loadService:main:check': checkurl(parts),
      'loadService:main:queryk': queryk(parts),
      'loadService:main:update': updatek(parts),
    } satisfies Record<ActionName, Action>),
  );

  app.post('/rex', { config: { access: 'token' } }, async (request, reply) => {
    const { values: params } = request.received ?? nothingReceived;
    if (Object.keys(params).every((name) => name === 'token')) throw new ParameterError({ what: messages.noBody });
    const { action } = params;
    if (action === undefined || action === '') throw new ParameterError({ what: messages.noAction });
    const run = actions.get(action);
    if (run === undefined) {
      const shown = messages.unknownAction(action.slice(0, LONGEST_SHOWN));
      const why = leftOut(action);
      const what = why === undefined ? shown : `${shown} (left out on purpose: ${why})`;
      throw new ParameterError({ what, whatToDo: `expected ${[...actions.keys()].join(' or ')}` });
    }
    return run({ request, reply, params, caller: callerOf(request) });
  });
}
