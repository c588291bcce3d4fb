import { z } from 'zod';
import { switched, targetSchema, waitSchema } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=Deploy:Db:initdb`, the original's word for unlocking. */
export const unlockParamsSchema = z.strictObject({
  action: z.literal('Deploy:Db:initdb'),
  /** One name; without it all that the token is for. */
  k: targetSchema.optional(),
  force: switched.optional(),
  wait: waitSchema.optional(),
  token: z.string().optional(),
});
