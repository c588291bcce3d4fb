import { readFileSync } from 'node:fs';
import swagger, { type StaticDocumentSpec } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { openApiDocument } from '../openapi/document.js';
import { addPageHeaders } from '../plugins/page-headers.js';

const PREFIX = '/docs';

/** `GET /openapi.json` and, for people, `GET /docs`. Both are open: they tell nothing that is not in our documentation. */
export async function referenceRoutes(app: FastifyInstance): Promise<void> {
  const document = openApiDocument(ownVersion());

  app.get('/openapi.json', { config: { access: 'open' } }, async (_request, reply) =>
    // Programs on other sites may read it; it holds nothing of ours.
    reply.header('Access-Control-Allow-Origin', '*').send(document),
  );

  await app.register(async (pages) => {
    // It sets styles at its elements, and has its pictures inside of them.
    addPageHeaders(pages, { 'style-src': "'self' 'unsafe-inline'", 'img-src': "'self' data:" });
    pages.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'open' };
    });
    // Its types are of OpenAPI 3.0; that the document is one of 3.1 is checked by a linter in the tests.
    await pages.register(swagger, { mode: 'static', specification: { document } as StaticDocumentSpec });
    await pages.register(swaggerUi, {
      routePrefix: PREFIX,
      theme: { title: 'Rexdeploy API' },
      // Without the bar on top: there is one document to choose, and the picture in it is somebody else's.
      uiConfig: { layout: 'BaseLayout', docExpansion: 'list', deepLinking: true, validatorUrl: 'none' },
    });
  });
}

const manifestSchema = z.looseObject({ version: z.string() });
const ownVersion = (): string =>
  manifestSchema.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version;
