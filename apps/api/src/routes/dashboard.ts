import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../parts.js';
import { addPageHeaders } from '../plugins/page-headers.js';

const BUILT = fileURLToPath(new URL('../../../dashboard/dist', import.meta.url));
const open = { config: { access: 'open' } } as const;

/**
 * `GET /`: the dashboard, as its build left it. It needs no token, because it begins with the log-in; all that it shows
 * comes from routes that do. Its own addresses lie behind the `#`, so that they cannot be taken for those of the API.
 */
export async function dashboardRoutes(app: FastifyInstance, { dashboardDir = BUILT }: ApiParts): Promise<void> {
  await app.register(fastifyStatic, { root: dashboardDir, serve: false, logLevel: 'error' });
  addPageHeaders(app);

  app.get('/', open, async (_request, reply) => {
    if (!existsSync(join(dashboardDir, 'index.html'))) {
      throw new UnavailableError({
        what: 'the dashboard was not built',
        where: dashboardDir,
        whatToDo: 'npm run build; the API itself works without it',
      });
    }
    // Asked for anew each time: it names the files that go with it.
    reply.header('Cache-Control', 'no-cache');
    return reply.sendFile('index.html', { cacheControl: false });
  });

  app.get('/favicon.svg', open, async (_request, reply) => reply.sendFile('favicon.svg', { maxAge: '1d' }));

  // A file's name changes with its content, so a copy is good for ever.
  app.get<{ Params: { '*': string } }>('/assets/*', open, async (request, reply) =>
    reply.sendFile(join('assets', request.params['*']), { maxAge: '365d', immutable: true }),
  );
}
