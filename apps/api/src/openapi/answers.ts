import { refusalSchema } from '@rexdeploy/shared/api/job-answer';
import {
  type Answer,
  type AnswerHeader,
  answerHeaders,
  type RefusalStatus,
  type Route,
  refusals,
  refusalsOf,
} from '@rexdeploy/shared/api/route';
import type { Examples } from './examples/example.js';
import { refusalExamples } from './examples/refusals.js';
import type { JsonObject, Schemas } from './schemas.js';

/** Answers of a route by status, refusals included. */
export function answersOf(route: Route, schemas: Schemas, examples: Readonly<Record<number, Examples>>): JsonObject {
  const good = Object.entries(route.answers).map(([status, told]) => [
    status,
    answer(told, schemas, examples[Number(status)]),
  ]);
  const refused = refusalsOf(route).map((status) => [
    String(status),
    { $ref: `#/components/responses/Refused${status}` },
  ]);
  return Object.fromEntries([...good, ...refused]);
}

function answer(
  { description, schema, media, headers = [] }: Answer,
  schemas: Schemas,
  examples?: Examples,
): JsonObject {
  return {
    description,
    ...headersOf(headers),
    content: {
      [media ?? 'application/json']: {
        schema: schemas.of(schema, 'output'),
        ...(examples === undefined ? {} : { examples }),
      },
    },
  };
}

/** The same for all routes, so each is told once. */
export function refusalComponents(schemas: Schemas): JsonObject {
  return Object.fromEntries(
    Object.entries(refusals).map(([status, description]) => [
      `Refused${status}`,
      {
        description,
        ...headersOf(HEADERS[status] ?? []),
        content: {
          'application/json': {
            schema: schemas.of(refusalSchema, 'output'),
            examples: refusalExamples[Number(status) as RefusalStatus],
          },
        },
      },
    ]),
  );
}

const HEADERS: Readonly<Record<string, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

function headersOf(names: readonly AnswerHeader[]): JsonObject {
  if (names.length === 0) return {};
  const described = names.map((name) => [name, { description: answerHeaders[name], schema: { type: 'string' } }]);
  return { headers: Object.fromEntries(described) };
}
