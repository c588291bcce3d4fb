import { routes } from '@rexdeploy/shared/api/routes';
import type { DeploymentHead } from '@rexdeploy/shared/deployments/list';
import { NotFoundError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { list } from '@rexdeploy/shared/journal/envelope';
import { allowsName } from '@rexdeploy/shared/tokens';
import type { FastifyInstance } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { queryOf, querySchema } from '../params/query.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';

const listQuery = querySchema(routes['GET /jobs'].query.shape);

/** The history of jobs. */
export async function jobRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, deployments } = parts;

  app.get('/jobs', { config: { access: 'token' } }, async (request, reply) => {
    const { k, state, by, since, until, limit = 20, cursor } = queryOf(request, listQuery);
    const caller = callerOf(request);
    if (k !== undefined) mustAllowName(caller, k);
    if (cursor !== undefined) await mustBeKnown(cursor);
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    const untilMs = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
    const mayShow = (head: DeploymentHead) =>
      allowsName(caller, head.name) && (by === undefined || head.by === by) && head.createdMs < untilMs;
    const { heads, more } = await deployments.list({ name: k, state, before: cursor, limit, mayShow, sinceMs });
    if (k !== undefined && heads.length === 0) await mustHaveBeen(k);
    const rows = await Promise.all(heads.map((head) => deployments.row(head)));
    return answerOf(request, reply, config, {
      data: list(rows.map((row) => ({ ...row }))),
      msg: `${rows.length} jobs`,
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
