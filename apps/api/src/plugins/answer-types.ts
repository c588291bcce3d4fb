import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { isEnvelope, projected, styleOf } from '../answers/projection.js';
import type { ApiParts } from '../parts.js';

/** Gives answers the types that the client wants; refusals and streams see to theirs themselves. */
export const answerTypes = fastifyPlugin(
  async (app: FastifyInstance, { config }: Pick<ApiParts, 'config'>) => {
    app.addHook('preSerialization', (request, _reply, payload, done) => {
      done(null, isEnvelope(payload) ? projected(styleOf(request, config), payload) : payload);
    });
  },
  { name: 'answer-types' },
);
