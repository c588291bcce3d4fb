import { z } from 'zod';
import { rolloutParams, switched } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=deploy` (contract §3), as text, the way forms send them. */

export const deployParamsSchema = z.strictObject({
  action: z.literal('deploy'),
  ...rolloutParams,
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
  dry_run: switched.optional(),
  plan: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'the hash that a dry run printed')
    .optional(),
});
export type DeployParams = z.infer<typeof deployParamsSchema>;
