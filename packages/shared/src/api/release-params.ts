import { z } from 'zod';
import { rolloutParams, targetSchema } from './rollout-params.js';

/** Parameters of the actions that are about releases which lie on hosts: `rollback`, `converge` and `mark`. */

/** A release in any of its ways to be written, or a word that the action knows. */
const release = z.string().max(4096, 'a release, at most 4096 characters');

export const rollbackParamsSchema = z.strictObject({
  action: z.literal('rollback'),
  ...rolloutParams,
  rollstatus: z.enum(['0', '1'], { error: '0 (the former release) or 1 (the marked one)' }).optional(),
  to: release.optional(),
});

export const convergeParamsSchema = z.strictObject({
  action: z.literal('converge'),
  ...rolloutParams,
  to: release.min(1, 'newest, former or a release'),
});

export const markParamsSchema = z.strictObject({
  action: z.literal('mark'),
  k: targetSchema,
  to: release,
  token: z.string().optional(),
});
