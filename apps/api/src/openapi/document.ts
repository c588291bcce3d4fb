import { type Route, tags } from '@rexdeploy/shared/api/route';
import { type RouteKey, routes, splitKey } from '@rexdeploy/shared/api/routes';
import { refusalComponents } from './answers.js';
import type { RouteExamples } from './examples/example.js';
import { examples } from './examples/routes.js';
import { operation } from './operation.js';
import { type JsonObject, Schemas } from './schemas.js';

const DESCRIPTION = `Rolls a new release of a name across its instances, one at a time.

Every answer is the documented envelope: every leaf is a string, a list is an object with the keys \`"0"\`, \`"1"\`, …, an
absent value is \`{}\`. \`code\` is \`"0"\` when accepted, running or succeeded, \`"-1"\` when refused or failed; \`data.code\` is
\`"1"\` in progress, \`"0"\` succeeded, \`"-1"\` failed. The token is masked wherever it appears.

A parameter that is unknown or given twice is an error. Refusals tell in \`msg\` what is wrong, where, and what to do.`;

const NONE: RouteExamples = { answers: {} };

/** The API as an OpenAPI 3.1 document, made of the table of routes. @param version of the product */
export function openApiDocument(version: string): JsonObject {
  const schemas = new Schemas();
  const paths = pathsOf(schemas);
  const responses = refusalComponents(schemas);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Rexdeploy',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The server that this comes from.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: schemas.components, responses, securitySchemes: SECURITY },
  };
}

function pathsOf(schemas: Schemas): Record<string, JsonObject> {
  const paths: Record<string, JsonObject> = {};
  for (const [key, route] of Object.entries<Route>(routes)) {
    const { method, path } = splitKey(key as RouteKey);
    const told: RouteExamples = examples[key as RouteKey] ?? NONE;
    const place = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[place] = {
      ...paths[place],
      [method.toLowerCase()]: operation(operationId(method, path), route, schemas, told),
    };
  }
  return paths;
}

/** `GET /jobs/:id/events` is `getJobsIdEvents`. */
const operationId = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const SECURITY = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'The best way: a header keeps the token out of the logs of proxies. `npx rex token create` makes one.',
  },
  query: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'The way of the original. Bodies may hold it too.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'rex_session',
    description:
      'The log-in of the dashboard. What changes something needs the header `X-Rex-Dashboard: 1` and a page of the same origin.',
  },
} as const;
