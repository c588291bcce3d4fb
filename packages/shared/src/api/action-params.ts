import { z } from 'zod';
import { serviceVerbSchema } from '../journal/events.js';
import { deployParamsSchema } from './deploy-params.js';
import { rolloutParams, sprintParam, switched, targetSchema, tokenParam, waitSchema } from './rollout-params.js';

/** Parameters of the original's other actions, as text, the way forms send them. */

const common = { wait: waitSchema.optional(), sprint: sprintParam, token: tokenParam };

/** One batch of all instances at once: there is nothing to hold after it. */
export const releaseParamsSchema = deployParamsSchema
  .omit({ hold: true })
  .extend({ action: z.literal('release') })
  .meta({
    id: 'ReleaseParams',
    title: 'action=release',
    description: 'As `deploy`, to all instances at once and past the balancer.',
  });
export type ReleaseParams = z.infer<typeof releaseParamsSchema>;

export const enterDeployParamsSchema = deployParamsSchema.extend({ action: z.literal('Enter:deploy:main') }).meta({
  id: 'EnterDeployParams',
  title: 'action=Enter:deploy:main',
  description: 'As `deploy`, for instance keys of one name only.',
});

export const listParamsSchema = z.strictObject({ action: z.literal('list'), token: tokenParam }).meta({
  id: 'ListParams',
  title: 'action=list',
  description: 'The names, then the instance keys and how many these are.',
});

export const checkUrlParamsSchema = z
  .strictObject({ action: z.enum(['checkurl', 'loadService:main:check']), k: targetSchema, ...common })
  .meta({
    id: 'CheckUrlParams',
    title: 'action=checkurl',
    description: 'Make the health check of each instance once; fails when one is not healthy.',
  });

export const queryWeightsParamsSchema = z
  .strictObject({ action: z.enum(['queryk', 'loadService:main:queryk']), k: targetSchema, ...common })
  .meta({
    id: 'QueryWeightsParams',
    title: 'action=queryk',
    description: 'Weight and rotation of each instance, as its balancer tells them now.',
  });

/** Parameters of jobs that hold a name and bring no release. */
const held = { k: targetSchema, when_busy: rolloutParams.when_busy, ...common };
export type HeldParams = { k: string } & Pick<z.infer<z.ZodObject<typeof rolloutParams>>, 'when_busy'> &
  Partial<Record<'force' | 'wait' | 'sprint', string | undefined>>;

export const serviceParamsSchema = z
  .strictObject({
    action: z.literal('service'),
    a: z.enum(serviceVerbSchema.options, { error: 'start, stop or restart' }).meta({ description: 'What to do.' }),
    force: switched.optional().meta({
      description:
        '`1`: stop what is in rotation, restart the last one that serves; needs a token with the role `admin`.',
    }),
    ...held,
  })
  .meta({
    id: 'ServiceParams',
    title: 'action=service',
    description: 'Start, stop or restart instances, one after another; a restart goes through the balancer.',
  });

const weight = z
  .string()
  .regex(/^(\d{1,5}|restore)$/, 'a whole number, 0 to take out of rotation, or restore to give back what it had');

export const updateWeightsParamsSchema = z
  .strictObject({
    action: z.enum(['updatek', 'loadService:main:update']),
    weight: weight.optional().meta({
      description:
        'The weight; `0` takes out of rotation until somebody wishes otherwise, `restore` gives back what was taken out by our hand.',
    }),
    w: weight.optional().meta({ description: 'The same as `weight`; one of the two is required.' }),
    force: switched.optional().meta({
      description:
        '`1`: take out also the last one that serves, give traffic also to one that does not; needs a token with the role `admin`.',
    }),
    ...held,
  })
  .meta({
    id: 'UpdateWeightsParams',
    title: 'action=updatek',
    description: 'Set the weight of instances in their balancer.',
  });
