import type { RefusedToken } from '@rexdeploy/shared/api/original';
import { messages } from '@rexdeploy/shared/errors/messages';
import { ForbiddenError, UnauthorizedError } from '@rexdeploy/shared/errors/request-errors';
import { maskToken } from '@rexdeploy/shared/mask';
import { allowsName, type Role, TOKEN, type TokenRecord } from '@rexdeploy/shared/tokens';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { presentedToken } from '../params/presented-token.js';
import type { ApiParts } from '../parts.js';
import { askRedis } from '../redis/ask.js';

/** Who may use a route: anybody, any good token, or a token whose role deploys. */
export type Access = 'open' | 'token' | 'deployer';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** The token's record; undefined on open routes. */
    caller: TokenRecord | undefined;
  }
}

const DEPLOYS: ReadonlySet<Role> = new Set<Role>(['deployer', 'admin']);

/** Lets a request in by its token. With a route that does not say who may use it, the application does not start. */
export const auth = fastifyPlugin(
  async (app: FastifyInstance, { tokens }: Pick<ApiParts, 'tokens'>) => {
    app.decorateRequest('caller', undefined);
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
    app.addHook('preValidation', async (request) => {
      const { access = 'open' } = request.routeOptions.config;
      if (access !== 'open') request.caller = await verify(tokens, presentedToken(request));
    });
    app.addHook('preHandler', async (request) => {
      if (request.routeOptions.config.access === 'deployer') mustDeploy(callerOf(request));
    });
  },
  { name: 'auth', dependencies: ['parameters'] },
);

async function verify(tokens: ApiParts['tokens'], token: string | undefined): Promise<TokenRecord> {
  if (token === undefined) throw refused('no token was given', { state: 'absent' });
  const found = await askRedis(() => tokens.verify(token));
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
  if (DEPLOYS.has(caller.role)) return;
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
