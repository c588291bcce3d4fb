import type { FastifyRequest } from 'fastify';

const BEARER = /^Bearer +(\S+) *$/i;

/** Holds the token of the one who logged in on the dashboard; scripts of pages cannot read it. */
export const SESSION_COOKIE = 'rex_session';

export interface Presented {
  token: string;
  /** What a browser sends by itself, the cookie, proves nothing about who wanted the request. */
  by: 'header' | 'parameter' | 'cookie';
}

/** The token that came with a request: in the header, in the address or the body, or else in the cookie of a log-in. */
export function presented(request: FastifyRequest): Presented | undefined {
  const [, bearer] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  if (bearer !== undefined) return { token: bearer, by: 'header' };
  const given = request.received?.values.token;
  if (given) return { token: given, by: 'parameter' };
  // Absent on requests that are refused before they are read.
  const cookie = (request.cookies as FastifyRequest['cookies'] | undefined)?.[SESSION_COOKIE];
  return cookie ? { token: cookie, by: 'cookie' } : undefined;
}

export const presentedToken = (request: FastifyRequest): string | undefined => presented(request)?.token;
