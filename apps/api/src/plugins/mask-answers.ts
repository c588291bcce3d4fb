import { maskSecretsIn } from '@rexdeploy/shared/mask';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** The last look at every answer: a token that found its way into it, by whatever parameter, is masked. */
export const maskAnswers = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, _reply, payload) =>
      typeof payload === 'string' ? maskSecretsIn(payload) : payload,
    );
  },
  { name: 'mask-answers' },
);
