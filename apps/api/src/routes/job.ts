import { routes } from '@rexdeploy/shared/api/routes';
import type { FastifyInstance } from 'fastify';
import { settingsOf } from '../answers/frame.js';
import { styleOf } from '../answers/projection.js';
import { ReadyAnswers } from '../answers/ready-answers.js';
import { wantedWait } from '../answers/wanted-wait.js';
import type { Looked } from '../deployments.js';
import { waitForEnd } from '../journal/follow.js';
import { queryOf, querySchema } from '../params/query.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the job that is asked for, read while its token is looked up; undefined when it is not known yet. */
    looked: Looked | undefined;
  }
}

const jobQuery = querySchema(routes['GET /jobs/:id'].query.shape);

/** A job as it is now, or at its end. It is asked for more often than anything else: see docs/decisions/020. */
export async function jobRoute(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, deployments } = parts;
  const ready = new ReadyAnswers(settingsOf(config));
  app.decorateRequest('looked', undefined);

  app.get<{ Params: { id: string } }>(
    '/jobs/:id',
    {
      config: { access: 'token' },
      onRequest: (request, _reply, done) => {
        request.looked = deployments.lookAhead(request.params.id);
        done();
      },
    },
    async (request, reply) => {
      const query = queryOf(request, jobQuery);
      const { id } = request.params;
      const { name } = await (request.looked?.head ?? deployments.head(id));
      mustAllowName(callerOf(request), name);
      const wait = wantedWait(query.wait, request);
      if (wait.preferred) reply.header('Preference-Applied', `wait=${wait.seconds}`);
      const found =
        wait.seconds === 0
          ? await (request.looked?.found ?? deployments.find(id))
          : await waitForEnd(parts, id, app.lifeOf(reply, wait.seconds * 1000));
      reply.type('application/json; charset=utf-8');
      return ready.bodyOf(found, styleOf(request, config), Date.now());
    },
  );
}
