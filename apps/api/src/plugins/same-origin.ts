import { ForbiddenError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyRequest } from 'fastify';

/**
 * Browsers send the cookie of a log-in along with whatever a page asks for, also a page of somebody else. So a change that
 * is asked for by cookie needs a proof that our own page wants it.
 */

/** Only scripts of our own origin can set it: to any other, the browser first asks for a consent that is never given. */
export const PAGE_HEADER = 'x-rex-dashboard';

const CHANGES_NOTHING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** For requests that the cookie alone lets in. @throws ForbiddenError for a change that our own page did not ask for */
export function mustComeFromOurPage(request: FastifyRequest): void {
  if (CHANGES_NOTHING.has(request.method)) return;
  if (originOf(request) === 'own' && request.headers[PAGE_HEADER] === '1') return;
  throw foreign(request, `send the header X-Rex-Dashboard: 1 from a page of this address`);
}

/** For requests that need no token and still change something: programs may, pages of somebody else may not. */
export function mustNotComeFromElsewhere(request: FastifyRequest): void {
  if (originOf(request) === 'foreign') throw foreign(request, 'use the dashboard at this very address');
}

/** Browsers say where a request comes from: by `Sec-Fetch-Site` on safe origins, and by `Origin` on all. */
function originOf({ headers }: FastifyRequest): 'own' | 'foreign' | 'untold' {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'own' : 'foreign';
  const { origin, host } = headers;
  if (origin === undefined) return 'untold';
  return URL.canParse(origin) && new URL(origin).host === host ? 'own' : 'foreign';
}

const foreign = ({ headers: { origin, host } }: FastifyRequest, otherwise: string): ForbiddenError =>
  new ForbiddenError({
    what: 'the request is authenticated by the cookie of a log-in, and does not prove that it comes from the dashboard',
    where: `origin ${JSON.stringify(origin ?? 'none')}, host ${JSON.stringify(host ?? 'none')}`,
    whatToDo: `${otherwise}, or a token in the header "Authorization: Bearer"`,
  });
