import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyRequest {
    /** Span of the request, and the context in which it is handled; undefined for what begins nothing. */
    traced: { span: Span; context: Context } | undefined;
  }
}

/**
 * A span for each request that may begin something, in the caller's trace where that sent one (`traceparent`). Who looks
 * how things stand, over and over, would bury these. Without a collector spans are empty and cost next to nothing.
 */
export const tracing = fastifyPlugin(
  async (app: FastifyInstance) => {
    const tracer = trace.getTracer('rexdeploy');
    app.decorateRequest('traced', undefined);
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.method !== 'POST') return done();
      const route = request.routeOptions.url ?? '(none)';
      const parent = propagation.extract(ROOT_CONTEXT, request.headers);
      const attributes = {
        'http.request.method': request.method,
        'http.route': route,
        'rexdeploy.request': request.id,
      };
      const span = tracer.startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
      request.traced = { span, context: trace.setSpan(parent, span) };
      done();
    });
    // Only here: reading the body goes through callbacks of the socket, which know nothing of the request.
    app.addHook('preHandler', (request, _reply, done) => {
      if (request.traced === undefined) done();
      else context.with(request.traced.context, done);
    });
    app.addHook('onResponse', ({ traced }, { statusCode }, done) => {
      traced?.span.setAttribute('http.response.status_code', statusCode);
      if (statusCode >= 500) traced?.span.setStatus({ code: SpanStatusCode.ERROR });
      traced?.span.end();
      done();
    });
  },
  { name: 'tracing' },
);
