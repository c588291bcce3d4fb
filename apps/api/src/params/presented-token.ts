import type { FastifyRequest } from 'fastify';

const BEARER = /^Bearer +(\S+) *$/i;

/** The token that came with a request: in the header, in the address, or in the body. */
export function presentedToken(request: FastifyRequest): string | undefined {
  const [, bearer] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  return bearer ?? (request.received?.values.token || undefined);
}
