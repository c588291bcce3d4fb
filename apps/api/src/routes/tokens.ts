import { routes } from '@rexdeploy/shared/api/routes';
import { list } from '@rexdeploy/shared/journal/envelope';
import type { FastifyInstance } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { tokenView } from '../answers/token-view.js';
import { queryOf, querySchema } from '../params/query.js';
import type { ApiParts } from '../parts.js';
import { callerOf } from '../plugins/auth.js';
import { askRedis } from '../redis/ask.js';

const noParams = querySchema({});
const createParams = querySchema(routes['POST /tokens'].body.schema.shape);

/** The tokens themselves, for administrators; what `rex token` does beside Redis. */
export async function tokenRoutes(app: FastifyInstance, { config, tokens }: ApiParts): Promise<void> {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('Cache-Control', 'no-store');
  });

  app.get('/tokens', { config: { access: 'admin' } }, async (request, reply) => {
    queryOf(request, noParams);
    const records = await askRedis(() => tokens.list());
    return answerOf(request, reply, config, { data: list(records.map(tokenView)), msg: `${records.length} tokens` });
  });

  app.post('/tokens', { config: { access: 'admin', showsToken: true } }, async (request, reply) => {
    const { name, role = 'deployer', names = '*', expires = 0 } = queryOf(request, createParams);
    const expiresMs = expires === 0 ? undefined : Date.now() + expires;
    const spec = { name, role, names, ...(expiresMs === undefined ? {} : { expiresMs }) };
    const token = await askRedis(() => tokens.create(spec));
    request.log.info({ by: callerOf(request).name, name, role, names, expiresMs }, 'token created');
    reply.code(201).header('Location', `/tokens/${name}`);
    return answerOf(request, reply, config, {
      data: {},
      msg: `token "${name}" was made; it is shown this once, only its SHA-256 is kept`,
      id: name,
      name,
      role,
      names,
      token,
      expires_at: expiresMs === undefined ? {} : new Date(expiresMs).toISOString(),
    });
  });

  app.delete<{ Params: { id: string } }>('/tokens/:id', { config: { access: 'admin' } }, async (request, reply) => {
    queryOf(request, noParams);
    const { id } = request.params;
    await askRedis(() => tokens.revoke(id));
    request.log.info({ by: callerOf(request).name, name: id }, 'token revoked');
    return answerOf(request, reply, config, { data: {}, msg: `token "${id}" was revoked` });
  });
}
