import { z } from 'zod';
import { rolloutParams, targetSchema, tokenParam } from './rollout-params.js';

/** Parameters of the actions that are about releases which lie on hosts: `rollback`, `converge` and `mark`. */

/** A release in any of its ways to be written, or a word that the action knows. */
const release = z.string().max(4096, 'a release, at most 4096 characters');

export const rollbackParamsSchema = z
  .strictObject({
    action: z.literal('rollback'),
    ...rolloutParams,
    rollstatus: z
      .enum(['0', '1'], { error: '0 (the former release) or 1 (the marked one)' })
      .optional()
      .meta({ description: '`0` (default): the former release; `1`: the marked one, which is marked no longer then.' }),
    to: release.optional().meta({
      description: 'A release by its stamp, `20180530_043756`, or its directory; without it the former one.',
    }),
  })
  .meta({
    id: 'RollbackParams',
    title: 'action=rollback',
    description: 'Go back to a release that lies on the hosts.',
  });

export const convergeParamsSchema = z
  .strictObject({
    action: z.literal('converge'),
    ...rolloutParams,
    to: release.min(1, 'newest, former or a release').meta({
      description:
        'A release; `newest`: the newest one that was in use; `former`: what the instances on the newest one had before.',
    }),
  })
  .meta({
    id: 'ConvergeParams',
    title: 'action=converge',
    description: 'Bring a mixed fleet to one release; only instances that differ are touched.',
  });

export const markParamsSchema = z
  .strictObject({
    action: z.literal('mark'),
    k: targetSchema,
    to: release.meta({ description: 'The release that `rollstatus=1` goes to; empty: none.' }),
    token: tokenParam,
  })
  .meta({
    id: 'MarkParams',
    title: 'action=mark',
    description: 'Mark a release as the one to roll back to. It is kept whatever `keep_releases` says.',
  });
