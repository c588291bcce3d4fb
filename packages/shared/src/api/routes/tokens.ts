import { z } from 'zod';
import { namePatternsSchema, roleSchema, tokenNameSchema } from '../../token-scope.js';
import { parseDurationMs } from '../../units.js';
import { envelopeOf } from '../envelope-of.js';
import { doneSchema } from '../job-answer.js';
import { absent, listOf, textOrAbsent } from '../leaves.js';
import { noParams } from '../query.js';
import { route } from '../route.js';

const text = z.string();

const lifetimeSchema = z
  .string()
  .transform((duration) => (duration === '' ? 0 : (parseDurationMs(duration) ?? -1)))
  .refine((ms) => ms >= 0, 'a duration such as 12h or 90d, or nothing');

export const tokenRowSchema = z
  .object({
    id: text.meta({ description: 'Its name: no two tokens have the same.' }),
    name: text,
    role: roleSchema,
    names: text.meta({ description: 'Patterns of names, separated by commas.' }),
    token: text.meta({ description: 'Its ten digits and last four letters.' }),
    created_at: text,
    expires_at: textOrAbsent.meta({ description: '`{}`: never.' }),
    last_used_at: textOrAbsent.meta({ description: 'To ten seconds; `{}`: not yet.' }),
  })
  .meta({ id: 'TokenRow', description: 'A token. Only its SHA-256 is kept.' });
export type TokenRow = z.infer<typeof tokenRowSchema>;

const { id, name, role, names, expires_at } = tokenRowSchema.shape;

export const tokenRoutes = {
  'GET /tokens': route({
    summary: 'the tokens, masked',
    tag: 'access',
    access: 'admin',
    query: noParams,
    answers: {
      200: {
        description: 'Oldest first.',
        schema: envelopeOf(listOf(tokenRowSchema), {}).meta({ id: 'TokenList' }),
      },
    },
  }),
  'POST /tokens': route({
    summary: 'make a token; its answer is the only place that ever shows it',
    tag: 'access',
    access: 'admin',
    body: {
      kind: 'parameters',
      schema: z.strictObject({
        name: tokenNameSchema.meta({ description: 'What to call it.', example: 'ci' }),
        role: roleSchema.optional().meta({ description: 'What it may do; `deployer` when it is left out.' }),
        names: namePatternsSchema.optional().meta({
          description: 'Names that it is for; all when it is left out.',
          example: 'server,shop*',
        }),
        expires: lifetimeSchema
          .optional()
          .meta({ description: 'How long it lives; for ever when it is left out.', example: '90d' }),
      }),
    },
    answers: {
      201: {
        description: 'It was made.',
        schema: envelopeOf(absent, {
          ...{ id, name, role, names, expires_at },
          token: text.meta({ description: 'The token itself.' }),
        }).meta({ id: 'TokenMade' }),
        headers: ['Location'],
      },
    },
    refusals: [409],
  }),
  'DELETE /tokens/:id': route({
    summary: 'revoke a token; it stops working at once',
    tag: 'access',
    access: 'admin',
    params: z.object({ id: text.meta({ description: 'Its name.', example: 'ci' }) }),
    query: noParams,
    answers: { 200: { description: 'It was revoked.', schema: doneSchema } },
    refusals: [404],
  }),
};
