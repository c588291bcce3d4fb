import type { Route } from '@rexdeploy/shared/api/route';
import type { z } from 'zod';
import type { JsonObject, Schemas } from './schemas.js';

type Place = 'path' | 'query' | 'header';
/** What a person may put in by way of trying it out. */
export type Tried = Partial<Record<Place, Readonly<Record<string, string | undefined>>>>;

/** Parameters of a route outside its body. */
export function parametersOf(route: Route, schemas: Schemas, tried: Tried = {}): JsonObject[] {
  const of = (place: Place, shape: z.ZodObject['shape'] = {}): JsonObject[] =>
    Object.entries(shape).map(([name, schema]) => parameter(place, name, schema as z.ZodType, schemas, tried[place]));
  return [
    ...of('path', route.params?.shape),
    ...of('query', route.query?.shape),
    ...of('header', route.headers?.shape),
  ];
}

function parameter(
  place: Place,
  name: string,
  schema: z.ZodType,
  schemas: Schemas,
  tried: Tried[Place] = {},
): JsonObject {
  const { description, example: told, ...own } = schemas.of(schema, 'input');
  const example = tried[name] ?? told;
  return {
    name: place === 'header' ? titled(name) : name,
    in: place,
    required: place === 'path' || !schema.isOptional(),
    ...(description === undefined ? {} : { description }),
    schema: own,
    ...(example === undefined ? {} : { example }),
  };
}

/** `last-event-id` as it is usually written. */
const titled = (name: string): string =>
  name
    .split('-')
    .map((word) => (word === 'id' ? 'ID' : `${word.charAt(0).toUpperCase()}${word.slice(1)}`))
    .join('-');
