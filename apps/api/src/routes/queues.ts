import { ForbiddenError, UnauthorizedError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../parts.js';
import { mustDeploy, verifyCaller, verifyToken } from '../plugins/auth.js';
import { sendRefusal } from '../plugins/errors.js';
import { addPageHeaders } from '../plugins/page-headers.js';

const PREFIX = '/admin/queues';

/** `/admin/queues`: bull-board for looking at the queues, behind the log-in of the dashboard. */
export async function queueRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  // Of refusals; the board has its own.
  addPageHeaders(app);
  // A browser without a log-in is sent to it, so who may look is settled here and not by the routes' `access`.
  app.addHook('preValidation', async (request, reply) => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new ForbiddenError({ what: `${PREFIX} is for looking: deployments are controlled by their jobs` });
      }
      request.caller = await verifyCaller((token) => verifyToken(parts, token), request);
      mustDeploy(request.caller);
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !wantsPage(request.headers.accept)) {
        return sendRefusal(parts, error, request, reply);
      }
      // A path below our own prefix and nothing else, so this leads nowhere outside.
      return reply.redirect(`/?next=${encodeURIComponent(request.url.split('?')[0] ?? PREFIX)}`, 302);
    }
  });

  const open = lazily(async () => (await import('../queue-board.js')).makeQueueBoard(parts, PREFIX, app.isStopping));
  app.addHook('onClose', async () => (await open.made())?.close());
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.all(url, { config: { access: 'open' } }, async (request, reply) => {
      const board = await open.make();
      reply.hijack();
      board.routing(request.raw, reply.raw);
    });
  }
}

/** Makes something once, when it is first wanted. A failure is told to who wants it, and tried again by the next. */
function lazily<T>(begin: () => Promise<T>): { make(): Promise<T>; made(): Promise<T | undefined> } {
  let making: Promise<T> | undefined;
  return {
    make: () => {
      making ??= begin().catch((error: unknown) => {
        making = undefined;
        throw error;
      });
      return making;
    },
    made: async () => making?.catch(() => undefined),
  };
}

const wantsPage = (accept: string | undefined): boolean => accept?.includes('text/html') === true;
