import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import { answerOf } from '../answers/frame.js';
import type { ApiParts } from '../parts.js';
import { askRedis } from '../redis/ask.js';

/** A worker that gave no sign of life for this long is gone. */
const WORKER_SILENCE_MS = 30_000;

/** For probes, which have no token. */
export async function healthRoutes(app: FastifyInstance, { config, redis, keys }: ApiParts): Promise<void> {
  app.get('/healthz', { config: { access: 'open' } }, async (request, reply) => {
    return answerOf(request, reply, config, { data: {}, msg: 'alive' });
  });

  app.get('/readyz', { config: { access: 'open' } }, async (request, reply) => {
    const since = Date.now() - WORKER_SILENCE_MS;
    const workers = await askRedis(() => redis.zcount(keys.workers, since, '+inf'));
    if (workers === 0) {
      throw new UnavailableError({
        what: `no worker was seen in the last ${WORKER_SILENCE_MS / 1000} s`,
        whatToDo: 'start one: npm run worker',
      });
    }
    return answerOf(request, reply, config, { data: {}, msg: 'ready', workers: String(workers) });
  });
}
