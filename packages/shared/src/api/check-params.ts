import { z } from 'zod';
import { sprintParam, targetSchema, tokenParam, waitSchema } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=check`. */
export const checkParamsSchema = z
  .strictObject({
    action: z.literal('check'),
    k: targetSchema,
    wait: waitSchema.optional(),
    sprint: sprintParam,
    token: tokenParam,
  })
  .meta({
    id: 'CheckParams',
    title: 'action=check',
    description: 'Look at all that a deployment makes sure of before it touches anything.',
  });
