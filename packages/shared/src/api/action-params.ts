import { z } from 'zod';
import { serviceVerbSchema, whenBusySchema } from '../journal/events.js';
import { deployParamsSchema } from './deploy-params.js';
import { switched, targetSchema, waitSchema } from './rollout-params.js';

/** Parameters of the original's other actions, as text, the way forms send them. */

const common = { wait: waitSchema.optional(), sprint: switched.optional(), token: z.string().optional() };

/** One batch of all instances at once: there is nothing to hold after it. */
export const releaseParamsSchema = deployParamsSchema.omit({ hold: true }).extend({ action: z.literal('release') });
export type ReleaseParams = z.infer<typeof releaseParamsSchema>;

/** As `deploy`, for instance keys only. */
export const enterDeployParamsSchema = deployParamsSchema.extend({ action: z.literal('Enter:deploy:main') });

export const listParamsSchema = z.strictObject({ action: z.literal('list'), token: z.string().optional() });

export const checkUrlParamsSchema = z.strictObject({
  action: z.enum(['checkurl', 'loadService:main:check']),
  k: targetSchema,
  ...common,
});

export const queryWeightsParamsSchema = z.strictObject({
  action: z.enum(['queryk', 'loadService:main:queryk']),
  k: targetSchema,
  ...common,
});

/** Parameters of jobs that hold a name and bring no release. */
const held = {
  k: targetSchema,
  when_busy: z.enum(whenBusySchema.options, { error: 'refuse, queue or supersede' }).optional(),
  /** Does what is refused otherwise; for administrators. */
  force: switched.optional(),
  ...common,
};
export type HeldParams = { k: string; when_busy?: z.infer<typeof whenBusySchema> | undefined } & Partial<
  Record<'force' | 'wait' | 'sprint', string | undefined>
>;

export const serviceParamsSchema = z.strictObject({
  action: z.literal('service'),
  a: z.enum(serviceVerbSchema.options, { error: 'start, stop or restart' }),
  ...held,
});

const weight = z
  .string()
  .regex(/^(\d{1,5}|restore)$/, 'a whole number, 0 to take out of rotation, or restore to give back what it had');

export const updateWeightsParamsSchema = z.strictObject({
  action: z.enum(['updatek', 'loadService:main:update']),
  weight: weight.optional(),
  /** The original's other name for it. */
  w: weight.optional(),
  ...held,
});
