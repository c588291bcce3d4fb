import type { z } from 'zod';

/**
 * One route of the API as everybody knows it: the API checks parameters against it, clients take their types from it, and
 * the reference is made of it.
 */
export interface Route {
  /** Half a sentence: what it does or gives. */
  readonly summary: string;
  readonly description?: string;
  readonly tag: Tag;
  readonly access: Access;
  /** In the path, by the names behind its colons. */
  readonly params?: z.ZodObject;
  /** In the address. The token is welcome in all of them and not told here. */
  readonly query?: z.ZodObject;
  /** Header fields of the request, in lower case. */
  readonly headers?: z.ZodObject;
  readonly body?: Body;
  /** What it gives when all goes well, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of refusals beyond those that follow from `access` (`refusalsOf`). */
  readonly refusals?: readonly RefusalStatus[];
}

/** Who may use it: anybody; whoever is on this machine, else any good token; any good token; one that deploys; administrators. */
export type Access = 'open' | 'local' | 'token' | 'deployer' | 'admin';

export const tags = {
  deployments: 'Deploy, roll back, check and unlock.',
  jobs: 'What became of a request: look, wait, follow, cancel, hold and resume.',
  packages: 'Upload what is to be deployed.',
  names: 'What runs where.',
  service: 'The service itself: probes and this reference.',
} as const;
export type Tag = keyof typeof tags;

export interface Body {
  /** `parameters`: a form or JSON, to the same effect. */
  readonly kind: 'parameters' | 'multipart';
  readonly schema: z.ZodType;
}

export interface Answer {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Absent: JSON. */
  readonly media?: 'text/event-stream' | 'text/html' | 'text/plain';
  readonly headers?: readonly AnswerHeader[];
}

/** Header fields that tell something. */
export const answerHeaders = {
  Location: 'Address of the job.',
  'Preference-Applied': 'Confirms `Prefer: wait=N`.',
  'Retry-After': 'Seconds after which it is worth asking again.',
  'WWW-Authenticate': 'How to give a token: `Bearer`.',
} as const;
export type AnswerHeader = keyof typeof answerHeaders;

/** What each status of a refusal means; all come as the documented answer, with the reason in `msg`. */
export const refusals = {
  400: 'A parameter is missing, unknown, given twice, or has a value that is not allowed; all faults are told at once.',
  401: 'No token, or an unknown, expired or revoked one.',
  403: "The token's role or its names do not allow this.",
  404: 'There is no such name, environment, package or job; `msg` names it.',
  409: 'It does not go with the state that things are in: the name is being deployed (`job` is the running one), is inside a freeze window, or the job has ended.',
  413: 'The body is too large.',
  415: 'The body is of another type than the ones told here.',
  422: 'The `Idempotency-Key` was used with another body within 24 hours.',
  429: 'More requests with this token than `api.rate_limit` a minute.',
  503: 'Redis does not answer, told within 3 seconds; or no worker does what is asked for.',
} as const;
export type RefusalStatus = keyof typeof refusals;

/** Keeps the exact types of a route while it is checked to be one. */
export const route = <const R extends Route>(described: R): R => described;

/** The statuses that a route refuses with, those included that all routes of its kind have in common. */
export function refusalsOf({ access, body, refusals: own = [] }: Route): RefusalStatus[] {
  const byAccess: RefusalStatus[] = access === 'open' ? [] : [401, 429, 503];
  const byRole: RefusalStatus[] = access === 'deployer' || access === 'admin' ? [403] : [];
  const byBody: RefusalStatus[] = body === undefined ? [] : [413, 415];
  return [...new Set<RefusalStatus>([400, ...byAccess, ...byRole, ...byBody, ...own])].sort((a, b) => a - b);
}
