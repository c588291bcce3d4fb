import type { BodyOf, ParamsOf, QueryOf, RouteKey } from '@rexdeploy/shared/api/routes';

/** Examples by a name that tells what they show. */
export type Examples<T = unknown> = Readonly<Record<string, { readonly summary: string; readonly value: T }>>;

/** Examples of one route: what to put into the address, bodies, and answers by status. */
export interface RouteExamples<Path = unknown, Query = unknown, Body = unknown> {
  readonly path?: Path & Readonly<Record<string, string>>;
  readonly query?: Query & Readonly<Record<string, string>>;
  readonly bodies?: Examples<Body>;
  /** Checked against the schemas by a test. */
  readonly answers: Readonly<Record<number, Examples>>;
}

/** By route. A test asks for an example of every answer. */
export type AllExamples = { readonly [K in RouteKey]?: RouteExamples<ParamsOf<K>, QueryOf<K>, BodyOf<K>> };

/** One example that speaks for itself. */
export const only = <T>(summary: string, value: T): Examples<T> => ({ example: { summary, value } });
