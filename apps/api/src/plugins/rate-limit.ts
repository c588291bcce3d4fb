import rateLimit from '@fastify/rate-limit';
import { RateLimitError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/**
 * Requests a minute and token, counted in this process. Only good tokens are counted, so that nobody can use up the
 * memory with invented ones.
 */
export const requestRate = fastifyPlugin(
  async (app: FastifyInstance, { perMinute }: { perMinute: number }) => {
    await app.register(rateLimit, {
      max: perMinute,
      timeWindow: 60_000,
      // Hooks of a route run after those of the application, so the token has been verified by then.
      hook: 'preValidation',
      // A name is another token once it was revoked and made again.
      keyGenerator: ({ caller }) => `${caller?.name} ${caller?.created}`,
      allowList: (request) => request.caller === undefined,
      errorResponseBuilder: (_request, { max, ttl }) =>
        new RateLimitError({
          what: `more than ${max} requests a minute with this token`,
          whatToDo: 'ask less often: wait=N or the event stream of a job instead of polling',
          retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)),
        }),
    });
  },
  { name: 'request-rate', dependencies: ['auth'] },
);
