import { z } from 'zod';
import { identifier } from '../../config/primitives.js';
import { sha256Schema } from '../deploy-params.js';
import { envelopeOf } from '../envelope-of.js';
import { absent, listOf, textOrAbsent } from '../leaves.js';
import { noParams } from '../query.js';
import { route } from '../route.js';

const text = z.string();

/** Fields of an upload beside its file. */
export const uploadFieldsSchema = z.strictObject({
  k: identifier.meta({ description: 'The name that it is for.' }),
  kind: z
    .enum(['program', 'config'], { error: 'program or config' })
    .default('program')
    .meta({ description: 'A program is for all instances of the name, a configuration for one.' }),
  instance: identifier.optional().meta({ description: 'With `kind=config`: whose configuration it is.' }),
  sha256: sha256Schema.optional().meta({ description: 'Digest that the file must have.' }),
});
export type UploadFields = z.infer<typeof uploadFieldsSchema>;

export const packageRowSchema = z
  .object({
    package: text.meta({ description: 'Its id.' }),
    k: text,
    kind: z.enum(['program', 'config']),
    instance: textOrAbsent,
    files: text,
    size: text.meta({ description: 'Bytes, unpacked.' }),
    sha256: text.meta({ description: 'Of the file as it was uploaded.' }),
    created_at: text,
    by: text.meta({ description: 'Name of the token.' }),
  })
  .meta({ id: 'PackageRow', description: 'An uploaded package.' });
export type PackageRow = z.infer<typeof packageRowSchema>;

export const packageRoutes = {
  'GET /packages': route({
    summary: 'what was uploaded, newest first',
    tag: 'packages',
    access: 'token',
    query: z.strictObject({ k: identifier.optional().meta({ description: 'Of one name.' }) }),
    answers: {
      200: {
        description: 'Those of the names that the token is for.',
        schema: envelopeOf(listOf(packageRowSchema), {}).meta({ id: 'PackageList' }),
      },
    },
    refusals: [403, 404],
  }),
  'POST /packages': route({
    summary: 'upload a package for a later deployment',
    description: 'A `.tar`, `.tar.gz`, `.tgz` or `.zip`. It is unpacked and verified before it is answered.',
    tag: 'packages',
    access: 'deployer',
    query: noParams,
    body: {
      kind: 'multipart',
      schema: uploadFieldsSchema.extend({
        file: z.file().meta({ description: 'The archive, as a part with a file name.' }),
      }),
    },
    answers: {
      200: {
        description: 'It is stored.',
        schema: envelopeOf(absent, packageRowSchema.shape).meta({ id: 'PackageStored' }),
      },
    },
    refusals: [404],
  }),
};
