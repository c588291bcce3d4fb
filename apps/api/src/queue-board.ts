import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import fastify, { type FastifyInstance } from 'fastify';
import type { ApiParts } from './parts.js';
import { sendRefusal } from './plugins/errors.js';
import { addPageHeaders } from './plugins/page-headers.js';

/** bull-board asks another company for its fonts; those of the system do as well. */
const FROM_OUTSIDE = /<link [^>]*href="https?:[^>]*>/g;

/**
 * bull-board as an application that only answers what it is handed (`routing`): it is loaded when somebody wants to see it
 * for the first time, and routes cannot be added to one that runs.
 * @param prefix where it stands
 */
export async function makeQueueBoard(parts: ApiParts, prefix: string): Promise<FastifyInstance> {
  const app = fastify();
  // It has a base address, and sets styles at its elements.
  addPageHeaders(app, { 'base-uri': "'self'", 'style-src': "'self' 'unsafe-inline'", 'img-src': "'self' data:" });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const error = new NotFoundError({ what: `there is no ${request.method} ${JSON.stringify(path)}` });
    return sendRefusal(parts, error, request, reply);
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    done(null, isPage && typeof payload === 'string' ? payload.replaceAll(FROM_OUTSIDE, '') : payload);
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
