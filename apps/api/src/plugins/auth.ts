import { BlockList, isIPv6 } from 'node:net';
import type { RefusedToken } from '@rexdeploy/shared/api/original';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ForbiddenError, UnauthorizedError } from '@rexdeploy/shared/errors/request-errors';
import { maskToken } from '@rexdeploy/shared/mask';
import { mayDeploy } from '@rexdeploy/shared/token-scope';
import { allowsName, TOKEN, type TokenRecord } from '@rexdeploy/shared/tokens';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { presented } from '../params/presented-token.js';
import type { ApiParts } from '../parts.js';
import { askRedis } from '../redis/ask.js';
import { mustComeFromOurPage } from './same-origin.js';

/**
 * Who may use a route: anybody; whoever is on this machine, else any good token; any good token; a token whose role deploys; one
 * that administers.
 */
export type Access = 'open' | 'local' | 'token' | 'deployer' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The token's record; undefined on open routes. */
    caller: TokenRecord | undefined;
  }
}

type Parts = Pick<ApiParts, 'tokens' | 'reads'>;

/** Lets a request in by its token. With a route that does not say who may use it, the application does not start. */
export const auth = fastifyPlugin(
  async (app: FastifyInstance, parts: Parts) => {
    app.decorateRequest('caller', undefined);
    /** Requests of one turn have one verdict on their token. */
    const verify = parts.reads.once((token) => verifyToken(parts, token));
    const routes: RouteOptions[] = [];
    app.addHook('onRoute', (route) => {
      routes.push(route);
    });
    // Not at once: who takes in somebody else's routes says it for them, in a hook that runs after this one.
    app.addHook('onReady', async () => {
      const unsaid = routes.find(({ config }) => config?.access === undefined);
      if (unsaid !== undefined) throw new Error(`route ${unsaid.url} does not say who may use it`);
    });

    // An unknown address has no `access`; it is answered as such, whoever asks.
    app.addHook('preValidation', (request, _reply, done) => {
      const { access = 'open' } = request.routeOptions.config;
      if (access === 'open' || (access === 'local' && isFromHere(request))) return done();
      verifyCaller(verify, request).then((caller) => {
        request.caller = caller;
        done();
      }, done);
    });
    app.addHook('preHandler', (request, _reply, done) => {
      const { access } = request.routeOptions.config;
      if (access === 'deployer') mustDeploy(callerOf(request));
      if (access === 'admin') mustAdminister(callerOf(request));
      done();
    });
  },
  { name: 'auth', dependencies: ['parameters'] },
);

/** Not what a proxy on this machine passes on: that may come from anywhere. */
function isFromHere({ headers, socket }: FastifyRequest): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  return LOOPBACK.check(socket.remoteAddress ?? '', isIPv6(socket.remoteAddress ?? '') ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/**
 * The record of the token that came with a request.
 * @param verify as `verifyToken`
 * @throws UnauthorizedError; ForbiddenError for a change that only a cookie vouches for
 */
export async function verifyCaller(
  verify: (token: string) => Promise<TokenRecord>,
  request: FastifyRequest,
): Promise<TokenRecord> {
  const shown = presented(request);
  if (shown === undefined) throw refused('no token was given', { state: 'absent' });
  const caller = await verify(shown.token);
  if (shown.by === 'cookie') mustComeFromOurPage(request);
  return caller;
}

/** The record of a token that may be used now. @throws UnauthorizedError saying why it may not */
export async function verifyToken({ tokens, reads }: Parts, token: string): Promise<TokenRecord> {
  const found = await askRedis(() => tokens.verify(token, reads));
  const shown = TOKEN.test(token) ? maskToken(token) : '…';
  if (found === 'unknown') throw refused('the token is unknown or was revoked', { state: 'unknown', shown });
  if (found !== 'expired') return found;
  const record = await askRedis(() => tokens.find(token));
  const timestamp = record && Math.floor(record.created / 1000);
  const expire = record && Math.round((record.expires - record.created) / 1000);
  throw refused('the token has expired', { state: 'expired', shown, timestamp, expire });
}

const refused = (why: string, token: RefusedToken): UnauthorizedError =>
  new UnauthorizedError({
    what: `${messages.tokenRefused}: ${why}`,
    whatToDo: 'give a valid one as ?token= or in the header "Authorization: Bearer"',
    token,
  });

/** The token's record behind a request that had to have one. */
export function callerOf(request: FastifyRequest): TokenRecord {
  if (request.caller === undefined) throw refused('no token was given', { state: 'absent' });
  return request.caller;
}

/** @throws ForbiddenError when the token's role only reads */
export function mustDeploy(caller: TokenRecord): void {
  if (mayDeploy(caller.role)) return;
  throw new ForbiddenError({
    what: `the token "${caller.name}" has the role ${caller.role}, which only reads`,
    whatToDo: 'use a token with the role deployer or admin',
  });
}

/** @throws ForbiddenError when the token's role is not that of an administrator */
export function mustAdminister(caller: TokenRecord): void {
  if (caller.role === 'admin') return;
  throw new ForbiddenError({
    what: `the token "${caller.name}" has the role ${caller.role}: this needs the role admin`,
    whatToDo: 'make one with `rex token create --role admin`',
  });
}

/** @throws ForbiddenError when the token's patterns do not allow the name */
export function mustAllowName(caller: TokenRecord, name: string): void {
  if (allowsName(caller, name)) return;
  throw new ForbiddenError({
    what: `the token "${caller.name}" is for the names ${caller.names}, not for "${name}"`,
    whatToDo: 'use a token that is for this name',
  });
}
