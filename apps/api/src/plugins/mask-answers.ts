import { maskSecretsIn } from '@rexdeploy/shared/mask';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer shows a token that was made just now, this once. */
    showsToken?: true;
  }
}

/**
 * The last look at every answer: a token that found its way into it, by whatever parameter, is masked. Bytes are let through:
 * whoever makes an answer of bytes has masked them.
 */
export const maskAnswers = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook('onSend', (request, _reply, payload, done) => {
      const masked = typeof payload === 'string' && request.routeOptions.config.showsToken !== true;
      done(null, masked ? maskSecretsIn(payload) : payload);
    });
  },
  { name: 'mask-answers' },
);
