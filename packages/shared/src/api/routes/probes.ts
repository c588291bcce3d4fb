import { z } from 'zod';
import { envelopeOf } from '../envelope-of.js';
import { doneSchema } from '../job-answer.js';
import { absent } from '../leaves.js';
import { route } from '../route.js';

export const probeRoutes = {
  'GET /healthz': route({
    summary: 'does the process live?',
    tag: 'service',
    access: 'open',
    answers: { 200: { description: 'It does.', schema: doneSchema } },
  }),
  'GET /readyz': route({
    summary: 'does Redis answer, and was a worker seen lately?',
    tag: 'service',
    access: 'open',
    answers: {
      200: {
        description: 'Both.',
        schema: envelopeOf(absent, { workers: z.string().meta({ description: 'How many were seen.' }) }).meta({
          id: 'Ready',
        }),
      },
    },
    refusals: [503],
  }),
};
