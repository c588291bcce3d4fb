import formbody from '@fastify/formbody';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { parseForm, parseQuery } from '../params/form.js';
import { parseJsonBody } from '../params/json.js';
import { isReceived, mergeReceived, nothingReceived, type Received } from '../params/received.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Parameters of address and body together; undefined until the request is routed. */
    received: Received | undefined;
  }
}

/**
 * Reads parameters from address and body. How they are written is refused only after the token is known to be good, so
 * reading keeps the faults instead of throwing.
 */
export const parameters = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.decorateRequest('received', undefined);

    app.removeAllContentTypeParsers();
    await app.register(formbody, { parser: (text: string) => ({ ...parseForm(text) }) });
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
      done(null, parseJsonBody(String(text)));
    });

    // Callbacks and not promises, here and in the other hooks that every request passes: a promise for each adds up.
    app.addHook('onRequest', (request, _reply, done) => {
      request.received = parseQuery(request.raw.url ?? '');
      done();
    });
    app.addHook('preValidation', (request, _reply, done) => {
      const query = request.received ?? nothingReceived;
      if (isReceived(request.body)) request.received = mergeReceived(query, request.body);
      done();
    });
    app.addHook('preHandler', ({ received = nothingReceived }, _reply, done) => {
      if (received.faults.length === 0) done();
      else done(new ParameterError({ what: received.faults.join('; ') }));
    });
  },
  { name: 'parameters' },
);
