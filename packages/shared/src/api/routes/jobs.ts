import { z } from 'zod';
import { identifier } from '../../config/primitives.js';
import { envelopeOf } from '../envelope-of.js';
import { jobSchema } from '../envelope-schema.js';
import { ID, jobParamsSchema } from '../id-schema.js';
import { jobAnswerSchema } from '../job-answer.js';
import { listOf } from '../leaves.js';
import { preferHeaderSchema, wholeNumber } from '../query.js';
import { waitSchema } from '../rollout-params.js';
import { route } from '../route.js';

const states = jobSchema.shape.state.options;

const jobListSchema = envelopeOf(listOf(jobSchema), {
  cursor: z.string().meta({ description: 'Asks for the next page; empty on the last one.' }),
}).meta({ id: 'JobList', description: 'Jobs, newest first.' });

const jobListQuery = z.strictObject({
  k: identifier.optional().meta({ description: 'Of one name.' }),
  state: z
    .enum(states, { error: states.join(' or ') })
    .optional()
    .meta({ description: 'In one state.' }),
  limit: wholeNumber(1, 200).optional().meta({ description: 'At most so many, 1 to 200; 20 when it is left out.' }),
  cursor: z
    .string()
    .regex(ID, 'the cursor of a former page')
    .optional()
    .meta({ description: '`data.cursor` of the page before.' }),
});

const done = { description: 'It is so already.', schema: jobAnswerSchema, headers: ['Location'] } as const;
const asked = { ...done, description: 'Asked for; done at the next safe point.' };

const control = { tag: 'jobs', access: 'deployer', params: jobParamsSchema, refusals: [404, 409] } as const;

export const jobRoutes = {
  'GET /jobs': route({
    summary: 'the history, newest first',
    tag: 'jobs',
    access: 'token',
    query: jobListQuery,
    answers: { 200: { description: 'A page of it.', schema: jobListSchema } },
    refusals: [403, 404],
  }),
  'GET /jobs/:id': route({
    summary: 'the answer of a job as it is now, or at its end',
    tag: 'jobs',
    access: 'token',
    params: jobParamsSchema,
    query: z.strictObject({
      wait: waitSchema
        .optional()
        .meta({ description: 'Seconds to hold the answer until the job ends, at most 3600.', example: '30' }),
    }),
    headers: preferHeaderSchema,
    answers: { 200: { description: 'The answer.', schema: jobAnswerSchema, headers: ['Preference-Applied'] } },
    refusals: [403, 404],
  }),
  'POST /jobs/:id/cancel': route({
    ...control,
    summary: 'stop a job before the next instance',
    description:
      'A job that has not begun never begins; one that runs stops before the next instance, and brings the present one back.',
    answers: { 200: done, 202: asked },
  }),
  'POST /jobs/:id/hold': route({
    ...control,
    summary: 'stop a job after the present batch, until it is resumed',
    description: '`job.state` is `held` then, and no worker is bound.',
    answers: { 200: done, 202: asked },
  }),
  'POST /jobs/:id/resume': route({
    ...control,
    summary: 'let a held job go on',
    description: 'Also takes back a `hold` that was not acted on yet.',
    answers: { 202: asked },
  }),
};
