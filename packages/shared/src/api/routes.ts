import type { z } from 'zod';
import type { Route } from './route.js';
import { drainedRoutes } from './routes/drained.js';
import { jobEventRoutes } from './routes/job-events.js';
import { jobRoutes } from './routes/jobs.js';
import { nameRoutes } from './routes/names.js';
import { packageRoutes } from './routes/packages.js';
import { probeRoutes } from './routes/probes.js';
import { referenceRoutes } from './routes/reference.js';
import { rexRoutes } from './routes/rex.js';

/** Every route of the API, by method and path. The order is that of the reference. */
export const routes = {
  ...rexRoutes,
  ...jobRoutes,
  ...jobEventRoutes,
  ...packageRoutes,
  ...nameRoutes,
  ...drainedRoutes,
  ...probeRoutes,
  ...referenceRoutes,
} satisfies Readonly<Record<`${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`, Route>>;
export type Routes = typeof routes;
export type RouteKey = keyof Routes;

/** Parameters of a route as a client gives them: all of them texts. */
type Given<S> = S extends z.ZodType ? z.input<S> : never;
type Part<R, P extends keyof Route> = R extends { readonly [key in P]: infer S } ? Given<S> : never;
export type ParamsOf<K extends RouteKey> = Part<Routes[K], 'params'>;
export type QueryOf<K extends RouteKey> = Part<Routes[K], 'query'>;
export type BodyOf<K extends RouteKey> = Routes[K] extends { readonly body: { readonly schema: infer S } }
  ? Given<S>
  : never;

/** What a route gives when all goes well. */
export type AnswerOf<K extends RouteKey> = AnswersOf<Routes[K]['answers']>;
type AnswersOf<A> = {
  [S in keyof A]: A[S] extends { readonly schema: infer T extends z.ZodType } ? z.output<T> : never;
}[keyof A];

/** Method and path of a route, e.g. `GET` and `/jobs/:id`. */
export function splitKey(key: RouteKey): { method: string; path: string } {
  const [method = '', path = ''] = key.split(' ');
  return { method, path };
}
