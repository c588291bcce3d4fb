import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

declare module 'fastify' {
  interface FastifyInstance {
    /** What this process knows by itself: its requests, memory, event loop. */
    ownMetrics: Registry;
  }
}

/** Requests that wait for a job to end take as long as the job: the last buckets are theirs. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Gauges of the library with the ending of counters, which `promtool` objects to; the same figures by type remain. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Measures every request by the pattern of its route, never by its address: that would be a series for each job. */
export const httpMetrics = fastifyPlugin(
  async (app: FastifyInstance) => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
    const latency = new Histogram({
      name: 'rexdeploy_http_request_duration_seconds',
      help: 'Requests to this API process, by route and class of status. With wait=N, and of event streams, the waiting counts.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: BUCKETS,
      registers: [registry],
    });
    app.decorate('ownMetrics', registry);
    app.addHook('onResponse', (request, reply, done) => {
      const labels = {
        method: request.method,
        route: request.routeOptions.url ?? '(none)',
        status: `${Math.floor(reply.statusCode / 100)}xx`,
      };
      latency.observe(labels, reply.elapsedTime / 1000);
      done();
    });
  },
  { name: 'http-metrics' },
);
