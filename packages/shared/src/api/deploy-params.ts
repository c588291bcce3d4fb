import { z } from 'zod';
import { onFailureSchema } from '../journal/events.js';

/** Parameters of `POST /rex` with `action=deploy` (contract §3), as text, the way forms send them. */

const switched = z.enum(['0', '1'], { error: '0 or 1' });

export const MAX_WAIT_SECONDS = 3600;

export const waitSchema = z
  .string()
  .regex(/^\d{1,4}$/, `whole seconds, at most ${MAX_WAIT_SECONDS}`)
  .refine((text) => Number(text) <= MAX_WAIT_SECONDS, `whole seconds, at most ${MAX_WAIT_SECONDS}`);

export const deployParamsSchema = z.strictObject({
  action: z.literal('deploy'),
  k: z.string().min(1, 'a name').max(4096, 'a name, at most 4096 characters'),
  senv: z.string().min(1).max(64).optional(),
  url: z.string().max(4096).optional(),
  full: z.enum(['1', '2'], { error: '1 (incremental) or 2 (full)' }).optional(),
  package: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,80}$/, 'id of an uploaded package')
    .optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, '64 hexadecimal digits')
    .optional(),
  hold: switched.optional(),
  dry_run: switched.optional(),
  on_failure: z.enum(onFailureSchema.options, { error: 'rollback, rollback_all or halt' }).optional(),
  wait: waitSchema.optional(),
  sprint: switched.optional(),
  token: z.string().optional(),
});
export type DeployParams = z.infer<typeof deployParamsSchema>;
