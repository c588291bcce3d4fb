import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { ForbiddenError, UnauthorizedError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../parts.js';
import { mustDeploy, verifyCaller } from '../plugins/auth.js';
import { sendRefusal } from '../plugins/errors.js';
import { addPageHeaders } from '../plugins/page-headers.js';

const PREFIX = '/admin/queues';
/** bull-board asks another company for its fonts; those of the system do as well. */
const FROM_OUTSIDE = /<link [^>]*href="https?:[^>]*>/g;

/** `/admin/queues`: bull-board for looking at the queues, behind the log-in of the dashboard. */
export async function queueRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  // It has a base address, and sets styles at its elements.
  addPageHeaders(app, { 'base-uri': "'self'", 'style-src': "'self' 'unsafe-inline'", 'img-src': "'self' data:" });

  // bull-board answers errors in its own way, so who may look is settled here and not by the routes' `access`.
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'open' };
  });
  app.addHook('preValidation', async (request, reply) => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new ForbiddenError({ what: `${PREFIX} is for looking: deployments are controlled by their jobs` });
      }
      request.caller = await verifyCaller(parts.tokens, request);
      mustDeploy(request.caller);
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !wantsPage(request.headers.accept)) {
        return sendRefusal(parts, error, request, reply);
      }
      // A path below our own prefix and nothing else, so this leads nowhere outside.
      return reply.redirect(`/?next=${encodeURIComponent(request.url.split('?')[0] ?? PREFIX)}`, 302);
    }
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    return isPage && typeof payload === 'string' ? payload.replaceAll(FROM_OUTSIDE, '') : payload;
  });

  const board = new FastifyAdapter().setBasePath(PREFIX);
  createBullBoard({
    queues: [parts.queue, parts.notices].map(
      (queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false }),
    ),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Rexdeploy', hideRedisDetails: true } },
  });
  await app.register(board.registerPlugin(), { prefix: PREFIX });
}

const wantsPage = (accept: string | undefined): boolean => accept?.includes('text/html') === true;
