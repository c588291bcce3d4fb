import { z } from 'zod';
import { switched, targetSchema, tokenParam, waitSchema } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=Deploy:Db:initdb`, the original's word for unlocking. */
export const unlockParamsSchema = z
  .strictObject({
    action: z.literal('Deploy:Db:initdb'),
    k: targetSchema.optional().meta({ description: 'A name; without it all that the token is for.' }),
    force: switched
      .optional()
      .meta({ description: '`1`: cancel a deployment that lives, and break locks of other controllers.' }),
    wait: waitSchema.optional(),
    token: tokenParam,
  })
  .meta({
    id: 'UnlockParams',
    title: 'action=Deploy:Db:initdb',
    description: 'Free a name whose deployment is gone, and its hosts; needs a token with the role `admin`.',
  });
