import { readFileSync } from 'node:fs';
import swagger, { type StaticDocumentSpec } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { openApiDocument } from '../openapi/document.js';
import type { JsonObject } from '../openapi/schemas.js';
import { addPageHeaders } from '../plugins/page-headers.js';

const PREFIX = '/docs';

/** `GET /openapi.json` and, for people, `GET /docs`. Both are open: they tell nothing that is not in our documentation. */
export async function referenceRoutes(app: FastifyInstance): Promise<void> {
  const options = { config: { access: 'open' } } as const;

  app.get('/openapi.json', options, async (_request, reply) =>
    // Programs on other sites may read it; it holds nothing of ours.
    reply.header('Access-Control-Allow-Origin', '*').send(document()),
  );

  await app.register(async (pages) => {
    // It has its pictures inside of itself.
    addPageHeaders(pages, { 'img-src': "'self' data:" });
    pages.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'open' };
    });
    await pages.register(swagger, { mode: 'static', specification: { document: NOT_YET } });
    await pages.register(swaggerUi, {
      routePrefix: PREFIX,
      theme: { title: 'Rexdeploy API' },
      // Without the bar on top: there is one document to choose, and the picture in it is somebody else's.
      uiConfig: { layout: 'BaseLayout', docExpansion: 'list', deepLinking: true, validatorUrl: 'none' },
      // The page asks for it here.
      transformSpecification: document,
      transformSpecificationClone: false,
    });
  });
}

/** What the plugin wants to have at the start. */
const NOT_YET: StaticDocumentSpec['document'] = { openapi: '3.1.1', info: { title: '', version: '' }, paths: {} };

let made: JsonObject | undefined;

/** Made when it is first asked for: an API that restarts has better things to do. */
function document(): JsonObject {
  made ??= openApiDocument(ownVersion());
  return made;
}

const manifestSchema = z.looseObject({ version: z.string() });
const ownVersion = (): string =>
  manifestSchema.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version;
