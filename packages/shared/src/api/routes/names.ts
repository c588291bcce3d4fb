import { z } from 'zod';
import { envelopeOf } from '../envelope-of.js';
import { absent, listOf, textOrAbsent } from '../leaves.js';
import { noParams } from '../query.js';
import { switched } from '../rollout-params.js';
import { route } from '../route.js';

const text = z.string();
/** `1` yes, `0` no, `{}` not known. */
const flag = z.union([z.enum(['0', '1']), absent]);

export const lockSchema = z.union([z.object({ owner: text, state: textOrAbsent, since: textOrAbsent }), absent]).meta({
  id: 'Lock',
  description:
    'The deployment that has the name; `{}` when it is free. Of one whose record is lost only the id is known.',
});
export type Lock = z.infer<typeof lockSchema>;

export const nameRowSchema = z
  .object({
    k: text,
    desc: text,
    batches: listOf(text).meta({ description: 'Instance keys batch by batch, separated by spaces.' }),
    instances: listOf(z.object({ instance: text, host: text })),
    lock: lockSchema,
    last_deployment: z.union([z.object({ id: text, state: text, created_at: text }), absent]),
  })
  .meta({ id: 'NameRow', description: 'A name of the environment.' });
export type NameRow = z.infer<typeof nameRowSchema>;

/** What the journals tell of an instance. `{}`: not known. */
const toldSchema = z.object({
  instance: text,
  host: text,
  should_run: textOrAbsent.meta({ description: 'The release that the newest deployment gave it.' }),
  linked: textOrAbsent.meta({ description: 'The release that its directory leads to.' }),
  answering: textOrAbsent.meta({ description: 'The release that the running processes come from.' }),
  in_rotation: flag,
  former: textOrAbsent.meta({ description: 'The release before.' }),
  last_deployment: textOrAbsent,
  last_state: textOrAbsent,
  at: textOrAbsent,
});

/** What a worker sees of it on the host and in the balancer. */
const seenSchema = z.object({
  rotation: textOrAbsent.meta({ description: "How it stands, in the balancer's own words." }),
  health: textOrAbsent,
  processes: textOrAbsent,
  lock: textOrAbsent.meta({ description: 'Who holds it by a lock on its host.' }),
  error: text.meta({ description: 'What could not be seen, and why; empty when all was.' }),
});

export const truthRowSchema = toldSchema
  .extend(seenSchema.partial().shape)
  .meta({ id: 'TruthRow', description: 'What is true of an instance; the last five with `observe=1` only.' });
export type TruthRow = z.infer<typeof truthRowSchema>;

export const nameRoutes = {
  'GET /names': route({
    summary: 'names of the environment, their batches, who holds them, the last deployment',
    tag: 'names',
    access: 'token',
    query: noParams,
    answers: {
      200: {
        description: 'Those that the token is for.',
        schema: envelopeOf(listOf(nameRowSchema), {}).meta({ id: 'NameList' }),
      },
    },
  }),
  'GET /names/:k': route({
    summary: 'what is true of each instance of a name, and who holds the name',
    tag: 'names',
    access: 'token',
    params: z.object({ k: text.meta({ description: 'A name.', example: 'server' }) }),
    query: z.strictObject({
      observe: switched.optional().meta({
        description: '`1`: as a worker sees it now on hosts and balancer, instead of what the journals tell.',
      }),
    }),
    answers: {
      200: {
        description: 'One row per instance.',
        schema: envelopeOf(listOf(truthRowSchema), {
          lock: lockSchema,
          observed_at: text.optional().meta({ description: 'When it was seen, with `observe=1`.' }),
        }).meta({ id: 'NameTruth' }),
      },
    },
    refusals: [403, 404],
  }),
};
