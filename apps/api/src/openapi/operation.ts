import type { Access, Body, Route } from '@rexdeploy/shared/api/route';
import { answersOf } from './answers.js';
import type { Examples, RouteExamples } from './examples/example.js';
import { parametersOf } from './parameters.js';
import type { JsonObject, Schemas } from './schemas.js';

/** Ways to give the token, each of which is enough. */
const ANY_TOKEN = [{ bearer: [] }, { query: [] }, { session: [] }];

/** One route as OpenAPI describes it. */
export function operation(id: string, route: Route, schemas: Schemas, examples: RouteExamples): JsonObject {
  const parameters = parametersOf(route, schemas, examples);
  return {
    operationId: id,
    summary: route.summary,
    description: [route.description, WHO[route.access]].filter((text) => text !== undefined).join('\n\n'),
    tags: [route.tag],
    security: SECURITY[route.access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body, schemas, examples.bodies) }),
    responses: answersOf(route, schemas, examples.answers),
  };
}

const SECURITY: Readonly<Record<Access, readonly object[]>> = {
  open: [],
  local: [{}, ...ANY_TOKEN],
  token: ANY_TOKEN,
  deployer: ANY_TOKEN,
  admin: ANY_TOKEN,
};

const WHO: Readonly<Record<Access, string>> = {
  open: 'Needs no token.',
  local: 'From the machine that the API runs on it needs no token, from elsewhere one.',
  token: 'Needs a token.',
  deployer: 'Needs a token with the role `deployer` or `admin`.',
  admin: 'Needs a token with the role `admin`.',
};

const MEDIA: Readonly<Record<Body['kind'], readonly string[]>> = {
  parameters: ['application/x-www-form-urlencoded', 'application/json'],
  multipart: ['multipart/form-data'],
};

function requestBody({ kind, schema }: Body, schemas: Schemas, examples: Examples | undefined): JsonObject {
  const content = { schema: schemas.of(schema, 'input'), ...(examples === undefined ? {} : { examples }) };
  return { required: true, content: Object.fromEntries(MEDIA[kind].map((media) => [media, content])) };
}
