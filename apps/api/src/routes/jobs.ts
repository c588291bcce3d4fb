import { routes } from '@rexdeploy/shared/api/routes';
import { NotFoundError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { envelope, list } from '@rexdeploy/shared/journal/envelope';
import { allowsName } from '@rexdeploy/shared/tokens';
import type { FastifyInstance } from 'fastify';
import { stateAfter } from '../answers/answer-job.js';
import { answerOf, settingsOf } from '../answers/frame.js';
import { wantedWait } from '../answers/wanted-wait.js';
import { queryOf, querySchema } from '../params/query.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';

const jobQuery = querySchema(routes['GET /jobs/:id'].query.shape);
const listQuery = querySchema(routes['GET /jobs'].query.shape);

/** A job and the history of jobs. */
export async function jobRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, deployments } = parts;

  app.get<{ Params: { id: string } }>('/jobs/:id', { config: { access: 'token' } }, async (request, reply) => {
    const query = queryOf(request, jobQuery);
    const { id, name } = await deployments.head(request.params.id);
    mustAllowName(callerOf(request), name);
    const wait = wantedWait(query.wait, request);
    if (wait.preferred) reply.header('Preference-Applied', `wait=${wait.seconds}`);
    return envelope(await stateAfter(parts, request, reply, id, wait), settingsOf(config), Date.now());
  });

  app.get('/jobs', { config: { access: 'token' } }, async (request, reply) => {
    const { k, state, limit = 20, cursor } = queryOf(request, listQuery);
    const caller = callerOf(request);
    if (k !== undefined) mustAllowName(caller, k);
    if (cursor !== undefined) await mustBeKnown(cursor);
    const mayShow = ({ name }: { name: string }) => allowsName(caller, name);
    const { heads, more } = await deployments.list({ name: k, state, before: cursor, limit, mayShow });
    if (k !== undefined && heads.length === 0) await mustHaveBeen(k);
    const views = await Promise.all(heads.map((head) => deployments.view(head)));
    return answerOf(request, reply, config, {
      data: list(views.map((view) => ({ ...view }))),
      msg: `${views.length} jobs`,
      cursor: more ? (heads.at(-1)?.id ?? '') : '',
    });
  });

  async function mustBeKnown(cursor: string): Promise<void> {
    try {
      await deployments.head(cursor);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      throw new ParameterError({ what: `cursor=${quote(cursor)}: that job is not there, or no longer; start again` });
    }
  }

  /** An empty page is right for a known name only. A name that left the config keeps its history. */
  async function mustHaveBeen(k: string): Promise<void> {
    if (config.own.names.has(k) || (await deployments.newest(k)) !== undefined) return;
    const known = [...config.own.names.keys()].join(', ') || 'none';
    throw new NotFoundError({ what: `k=${quote(k)}: there is no such name`, whatToDo: `names are: ${known}` });
  }
}
