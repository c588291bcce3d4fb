import { z } from 'zod';
import { actions } from '../actions.js';
import { preferHeaderSchema } from '../query.js';
import { route } from '../route.js';

const { deploy, ...others } = actions;

/** Parameters of all actions, told apart by `action`. */
export const rexParamsSchema = z
  // An action may go by several names.
  .discriminatedUnion('action', [deploy.params, ...new Set(Object.values(others).map(({ params }) => params))])
  .meta({ id: 'RexParams', description: 'Parameters of the action that `action` names.' });

/** Answers of all actions; which one gives which stands in `actions`. */
const [, ...otherAnswers] = new Set(Object.values(actions).map(({ answer }) => answer));
const rexAnswerSchema = z.union([deploy.answer, ...otherAnswers]);

export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, '1 to 255 printable characters')
  .meta({
    description: 'The same key with the same body within 24 hours answers with the same job and starts nothing new.',
    example: 'build-4711',
  });

export const rexRoutes = {
  'POST /rex': route({
    summary: 'one action, named by action',
    description:
      'Parameters may come in the address, as a form, or as a flat JSON object of texts and whole numbers, to the same effect. Actions that start a job answer with it at once; with `wait` they answer at its end, or when the time is up.',
    tag: 'deployments',
    access: 'token',
    headers: preferHeaderSchema.extend({
      'idempotency-key': idempotencyKeySchema.optional(),
    }),
    body: { kind: 'parameters', schema: rexParamsSchema },
    answers: {
      200: {
        description: '`wait` was given and the job has ended: its final answer. Also of actions that start no job.',
        schema: rexAnswerSchema,
        headers: ['Location', 'Preference-Applied'],
      },
      202: {
        description: 'Accepted; `job` names the job, its address and its event stream.',
        schema: rexAnswerSchema,
        headers: ['Location', 'Preference-Applied'],
      },
    },
    refusals: [403, 404, 409, 422],
  }),
};
