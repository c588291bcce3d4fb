import cookie from '@fastify/cookie';
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerClientError } from './client-errors.js';
import { RequestLog } from './log.js';
import { httpMetrics } from './metrics/http-metrics.js';
import type { ApiParts } from './parts.js';
import { answerTypes } from './plugins/answer-types.js';
import { auth } from './plugins/auth.js';
import { errors, sendRefusal } from './plugins/errors.js';
import { maskAnswers } from './plugins/mask-answers.js';
import { parameters } from './plugins/parameters.js';
import { requestRate } from './plugins/rate-limit.js';
import { tracing } from './plugins/tracing.js';
import { unreadBodies } from './plugins/unread-bodies.js';
import { requestLives } from './request-life.js';
import { dashboardRoutes } from './routes/dashboard.js';
import { drainedRoutes } from './routes/drained.js';
import { healthRoutes } from './routes/health.js';
import { jobRoute } from './routes/job.js';
import { jobControlRoutes } from './routes/job-control.js';
import { jobEventRoutes } from './routes/job-events.js';
import { jobRoutes } from './routes/jobs.js';
import { metricsRoutes } from './routes/metrics.js';
import { nameRoutes } from './routes/names.js';
import { packageRoutes } from './routes/packages.js';
import { queueRoutes } from './routes/queues.js';
import { referenceRoutes } from './routes/reference.js';
import { rexRoutes } from './routes/rex.js';
import { sessionRoutes } from './routes/session.js';
import { tokenRoutes } from './routes/tokens.js';

/** Of forms and JSON; uploads have their own. */
const BODY_LIMIT = 1024 ** 2;

/** The application as a function of its parts; it does not listen. Plugins come in the order in which requests meet them. */
export async function buildApp(parts: ApiParts, log: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: log,
    logController: new RequestLog(),
    bodyLimit: BODY_LIMIT,
    // While stopping, requests on open connections are still answered as usual.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      sendRefusal(parts, error, request, reply);
    },
    clientErrorHandler: (error, socket) => answerClientError(parts.config, error, socket),
  });

  await app.register(tracing);
  await app.register(httpMetrics);
  await app.register(errors, parts);
  await app.register(maskAnswers);
  await app.register(answerTypes, parts);
  await app.register(unreadBodies);
  await app.register(requestLives);
  await app.register(cookie);
  await app.register(parameters);
  await app.register(auth, parts);
  await app.register(requestRate, { perMinute: parts.config.api.rateLimit });

  await app.register(healthRoutes, parts);
  await app.register(rexRoutes, parts);
  await app.register(jobRoute, parts);
  await app.register(jobRoutes, parts);
  await app.register(jobControlRoutes, parts);
  await app.register(jobEventRoutes, parts);
  await app.register(packageRoutes, parts);
  await app.register(nameRoutes, parts);
  await app.register(drainedRoutes, parts);
  await app.register(sessionRoutes, parts);
  await app.register(tokenRoutes, parts);
  await app.register(dashboardRoutes, parts);
  await app.register(queueRoutes, parts);
  await app.register(metricsRoutes, parts);
  await app.register(referenceRoutes);
  return app;
}
