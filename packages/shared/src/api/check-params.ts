import { z } from 'zod';
import { switched, targetSchema, waitSchema } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=check`. */
export const checkParamsSchema = z.strictObject({
  action: z.literal('check'),
  k: targetSchema,
  wait: waitSchema.optional(),
  sprint: switched.optional(),
  token: z.string().optional(),
});
