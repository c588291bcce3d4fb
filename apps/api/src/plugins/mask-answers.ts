import { maskSecretsIn } from '@rexdeploy/shared/mask';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer shows a token that was made just now, this once. */
    showsToken?: true;
  }
}

/** The last look at every answer: a token that found its way into it, by whatever parameter, is masked. */
export const maskAnswers = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook('onSend', async (request, _reply, payload) =>
      typeof payload === 'string' && request.routeOptions.config.showsToken !== true ? maskSecretsIn(payload) : payload,
    );
  },
  { name: 'mask-answers' },
);
