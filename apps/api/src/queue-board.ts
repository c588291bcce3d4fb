import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import { maskSecretsIn } from '@rexdeploy/shared/mask';
import fastify, { type FastifyInstance } from 'fastify';
import type { ApiParts } from './parts.js';
import { sendRefusal } from './plugins/errors.js';
import { addPageHeaders } from './plugins/page-headers.js';

type Parts = Pick<ApiParts, 'config' | 'deployments' | 'queue' | 'notices'>;

/** bull-board asks another company for its fonts; those of the system do as well. */
const FROM_OUTSIDE = /<link [^>]*href="https?:[^>]*>/g;

/**
 * bull-board as an application that only answers what it is handed (`routing`): it is loaded when somebody wants to see it
 * for the first time, and routes cannot be added to one that runs. The hooks of ours do not see its answers: what they do for
 * all others is done here.
 * @param prefix where it stands
 * @param isStopping whether connections are to close after their answers
 */
export async function makeQueueBoard(
  parts: Parts,
  prefix: string,
  isStopping: () => boolean,
): Promise<FastifyInstance> {
  const app = fastify();
  // It has a base address, and sets styles at its elements.
  addPageHeaders(app, { 'base-uri': "'self'", 'style-src': "'self' 'unsafe-inline'", 'img-src': "'self' data:" });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const error = new NotFoundError({ what: `there is no ${request.method} ${JSON.stringify(path)}` });
    return sendRefusal(parts, error, request, reply);
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping()) reply.header('Connection', 'close');
    if (typeof payload !== 'string') return done(null, payload);
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    done(null, maskSecretsIn(isPage ? payload.replaceAll(FROM_OUTSIDE, '') : payload));
  });

  const board = new FastifyAdapter().setBasePath(prefix);
  createBullBoard({
    queues: [parts.queue, parts.notices].map(
      (queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false }),
    ),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Rexdeploy', hideRedisDetails: true } },
  });
  await app.register(board.registerPlugin(), { prefix });
  await app.ready();
  return app;
}
