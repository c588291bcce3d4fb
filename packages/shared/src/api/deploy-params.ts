import { z } from 'zod';
import { rolloutParams, switched } from './rollout-params.js';

/** Parameters of `POST /rex` with `action=deploy` (contract §3), as text, the way forms send them. */

export const sha256Schema = z.string().regex(/^[0-9a-fA-F]{64}$/, '64 hexadecimal digits');

export const deployParamsSchema = z
  .strictObject({
    action: z.literal('deploy'),
    ...rolloutParams,
    senv: z.string().min(1).max(64).optional().meta({
      description:
        'Source environment: the program is taken from its name of the same key; each instance keeps its own configuration.',
    }),
    url: z.string().max(4096).optional().meta({
      description: 'http(s) address of a `.tar`, `.tar.gz`/`.tgz` or `.zip` on a host of `packages.allow_hosts`.',
    }),
    full: z.enum(['1', '2'], { error: '1 (incremental) or 2 (full)' }).optional().meta({
      description: "`1` (default): the package is laid over the instance's current release; `2`: it takes its place.",
    }),
    package: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,80}$/, 'id of an uploaded package')
      .optional()
      .meta({
        description:
          'Id of an uploaded package; without `senv`, `url` and `package` the newest one uploaded for the name.',
      }),
    sha256: sha256Schema.optional().meta({ description: 'Expected digest of the archive; with `url`.' }),
    dry_run: switched.optional().meta({
      description: '`1`: report the plan and the differences of each instance, touch nothing.',
    }),
    plan: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'the hash that a dry run printed')
      .optional()
      .meta({
        description:
          "`data.plan` of a dry run's answer: only while all is as that dry run saw it, else 409 with what changed.",
      }),
  })
  .meta({
    id: 'DeployParams',
    title: 'action=deploy',
    description: 'Roll a new release out. `senv`, `url` and `package` exclude each other.',
  });
export type DeployParams = z.infer<typeof deployParamsSchema>;
