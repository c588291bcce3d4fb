import { routes } from '@rexdeploy/shared/api/routes';
import { ParameterError, RateLimitError } from '@rexdeploy/shared/errors/request-errors';
import type { TokenRecord } from '@rexdeploy/shared/tokens';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { tokenView } from '../answers/token-view.js';
import { checkParams } from '../params/check.js';
import { SESSION_COOKIE } from '../params/presented-token.js';
import { queryOf, querySchema } from '../params/query.js';
import { isReceived } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf, verifyToken } from '../plugins/auth.js';
import { mustNotComeFromElsewhere } from '../plugins/same-origin.js';

/** Log-ins a minute and address. */
const MAX_ATTEMPTS = 20;
/** A browser that is not used for so long has to log in again. */
const MAX_AGE_SECONDS = 7 * 24 * 3600;

const noParams = querySchema({});
const loginSchema = routes['POST /session'].body.schema;

const tooOften = (_request: FastifyRequest, { max, ttl }: { max: number; ttl: number }): RateLimitError =>
  new RateLimitError({
    what: `more than ${max} log-ins a minute from this address`,
    whatToDo: 'wait a minute',
    retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)),
  });

/** Log-in of the dashboard: a cookie with the token, which is looked up at every request, so that revoking it ends all. */
export async function sessionRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config } = parts;

  app.addHook('onSend', async (_request, reply) => {
    reply.header('Cache-Control', 'no-store');
  });

  app.get('/session', { config: { access: 'token' } }, async (request, reply) => {
    queryOf(request, noParams);
    return who(request, reply, callerOf(request));
  });

  const attempts = {
    max: MAX_ATTEMPTS,
    timeWindow: 60_000,
    keyGenerator: ({ ip }: FastifyRequest) => ip,
    allowList: [],
    errorResponseBuilder: tooOften,
  };
  app.post('/session', { config: { access: 'open', rateLimit: attempts } }, async (request, reply) => {
    mustNotComeFromElsewhere(request);
    const { token } = checkParams(loginSchema, bodyOf(request));
    const caller = await verifyToken(parts, token.trim());
    reply.setCookie(SESSION_COOKIE, token.trim(), {
      ...cookieOf(request),
      maxAge: Math.min(MAX_AGE_SECONDS, secondsLeft(caller)),
    });
    return who(request, reply, caller);
  });

  app.delete('/session', { config: { access: 'open' } }, async (request, reply) => {
    mustNotComeFromElsewhere(request);
    queryOf(request, noParams);
    reply.clearCookie(SESSION_COOKIE, cookieOf(request));
    return answerOf(request, reply, config, { data: {}, msg: 'logged out' });
  });

  function who(request: FastifyRequest, reply: FastifyReply, caller: TokenRecord) {
    const { created_at: _, last_used_at: __, ...view } = tokenView(caller);
    const { key, desc } = config.own;
    const msg = `logged in as ${caller.name}`;
    return answerOf(request, reply, config, { data: {}, msg, ...view, environment: key, desc, zone: config.timezone });
  }
}

/** Addresses are kept in logs and histories, bodies are not. @throws ParameterError for a token in the address */
function bodyOf(request: FastifyRequest): Readonly<Record<string, string>> {
  if ((request.raw.url ?? '').includes('?')) {
    throw new ParameterError({ what: 'the address has parameters', whatToDo: 'give the token in the body alone' });
  }
  return isReceived(request.body) ? request.body.values : {};
}

const cookieOf = (request: FastifyRequest) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: cameByHttps(request) }) as const;

/** What a proxy says is good enough here: who lies about it, lies to himself. */
function cameByHttps({ headers, protocol }: FastifyRequest): boolean {
  const [forwarded] = [headers['x-forwarded-proto']].flat();
  return (forwarded?.split(',')[0]?.trim() ?? protocol) === 'https';
}

const secondsLeft = ({ expires }: TokenRecord): number =>
  expires === 0 ? MAX_AGE_SECONDS : Math.max(1, Math.ceil((expires - Date.now()) / 1000));
