import { z } from 'zod';
import { route } from '../route.js';

/** The reference of the API itself. */
export const referenceRoutes = {
  'GET /openapi.json': route({
    summary: 'this document',
    tag: 'service',
    access: 'open',
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        schema: z.looseObject({
          openapi: z.string(),
          info: z.looseObject({ title: z.string(), version: z.string() }),
          paths: z.looseObject({}),
        }),
      },
    },
  }),
  'GET /docs': route({
    summary: 'this document as a page to read and try out',
    tag: 'service',
    access: 'open',
    answers: { 200: { description: 'The page.', schema: z.string(), media: 'text/html' } },
  }),
};
