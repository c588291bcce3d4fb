import { z } from 'zod';
import { onFailureSchema, whenBusySchema } from '../journal/events.js';

/** Parameters that all actions of `POST /rex` share which change instances, as text, the way forms send them. */

export const switched = z.enum(['0', '1'], { error: '0 or 1' });

export const MAX_WAIT_SECONDS = 3600;

export const waitSchema = z
  .string()
  .regex(/^\d{1,4}$/, `whole seconds, at most ${MAX_WAIT_SECONDS}`)
  .refine((text) => Number(text) <= MAX_WAIT_SECONDS, `whole seconds, at most ${MAX_WAIT_SECONDS}`);

export const targetSchema = z.string().min(1, 'a name').max(4096, 'a name, at most 4096 characters');

export const rolloutParams = {
  k: targetSchema,
  hold: switched.optional(),
  on_failure: z.enum(onFailureSchema.options, { error: 'rollback, rollback_all or halt' }).optional(),
  when_busy: z.enum(whenBusySchema.options, { error: 'refuse, queue or supersede' }).optional(),
  /** Goes through freeze windows; for administrators. */
  force: switched.optional(),
  wait: waitSchema.optional(),
  sprint: switched.optional(),
  token: z.string().optional(),
};

export const rolloutParamsSchema = z.object(rolloutParams);
export type RolloutParams = z.infer<typeof rolloutParamsSchema>;
