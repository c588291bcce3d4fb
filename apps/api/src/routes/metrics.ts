import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { stored } from '@rexdeploy/shared/metrics/stored';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { addPresent, addRedisUp, readFigures } from '../metrics/present.js';
import { addStored, type FromTheStart } from '../metrics/stored.js';
import type { ApiParts } from '../parts.js';
import { askRedis } from '../redis/ask.js';

/** `GET /metrics`: figures of the whole installation, from Redis, and of this process. */
export async function metricsRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config } = parts;
  const fromTheStart = startValues(config);

  app.get(
    '/metrics',
    { config: { access: config.api.metrics === 'open' ? 'open' : 'local' } },
    async (request, reply) => {
      const registry = new Registry();
      try {
        const [figures] = await askRedis(() => Promise.all([readFigures(parts), addPresent(registry, parts)]));
        addStored(registry, figures, fromTheStart);
        addRedisUp(registry, true);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        request.log.warn({ reason: error.message }, 'metrics without those from Redis');
        registry.clear();
        addRedisUp(registry, false);
      }
      const texts = await Promise.all([registry.metrics(), app.ownMetrics.metrics()]);
      return reply.type(registry.contentType).send(texts.map((text) => `${text.trim()}\n`).join('\n'));
    },
  );
}

function startValues({ own, notify }: ApiParts['config']): FromTheStart {
  const names = [...own.names.keys()];
  return new Map([
    [stored.deployments, names.flatMap((name) => ['succeeded', 'failed'].map((state) => [name, 'deploy', state]))],
    [stored.notBroughtBack, names.flatMap((name) => ['deploy', 'rollback'].map((action) => [name, action]))],
    [
      stored.notifications,
      notify.flatMap(({ name }) => ['sent', 'failed', 'retried'].map((outcome) => [name, outcome])),
    ],
    [stored.renewalsFailed, [[]]],
  ]);
}
