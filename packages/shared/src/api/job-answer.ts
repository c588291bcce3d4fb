import { z } from 'zod';
import { envelopeOf } from './envelope-of.js';
import { instanceRecordSchema, jobSchema } from './envelope-schema.js';
import { absent, leavesSchema, listOf, textOrAbsent } from './leaves.js';

/** What `data.data` of a job's answer holds: batches, or rows of a dry run or a check. */

const text = z.string();
const outcome = z.enum(['0', '-1']);

export const batchSchema = z
  .object({
    code: outcome,
    data: listOf(instanceRecordSchema),
    endtime: text,
    msg: text.meta({ description: 'Which instances are done, or why the batch failed.' }),
    starttime: text,
  })
  .meta({ id: 'Batch', description: 'A batch that is done, or the one that failed; nothing follows that one.' });

/** What follows the last batch. */
export const deployEndSchema = z
  .object({ code: outcome, msg: text })
  .meta({ id: 'DeployEnd', description: 'Follows the last batch.' });

const differenceSchema = z
  .object({ added: text, changed: text, removed: text, unchanged: text, bytes: text, paths: listOf(text) })
  .meta({
    id: 'Difference',
    description: 'Numbers of files, bytes to transfer, and the first paths, each with `+`, `~` or `-` before it.',
  });

export const differenceRowSchema = z
  .object({
    code: outcome,
    deploy_key: text,
    program: differenceSchema,
    config: z.union([differenceSchema, absent]),
  })
  .meta({ id: 'DifferenceRow', description: 'Of a dry run: how an instance would change.' });
export type DifferenceRow = z.infer<typeof differenceRowSchema>;

export const checkRowSchema = z
  .object({
    code: outcome,
    deploy_key: text,
    checks: z.record(text, text).meta({ description: 'What was looked at, and what was seen.' }),
    msg: text.meta({ description: 'What would stop a deployment; empty when nothing would.' }),
    /** What stands on the host, in the original's words. */
    app_pro_dir: text.optional().meta({ description: '`program_dir`.' }),
    app_config_dir: textOrAbsent.optional().meta({ description: '`config_dir`.' }),
    app_pro_init: textOrAbsent.optional().meta({ description: 'The service.' }),
    app_pro_key: textOrAbsent.optional().meta({ description: 'Pattern of its processes.' }),
    pro_dir: textOrAbsent.optional().meta({ description: '`1`: the program directory is there, `0`: it is not.' }),
    config_dir: textOrAbsent.optional().meta({ description: 'The same of the configuration.' }),
    pro_init: textOrAbsent.optional().meta({ description: 'The same of the service script.' }),
    ps_num: textOrAbsent.optional().meta({ description: 'Processes that match the pattern.' }),
  })
  .meta({ id: 'CheckRow', description: 'Of `check`: one instance.' });
export type CheckRow = z.infer<typeof checkRowSchema>;

export const collectedSchema = z
  .object({
    code: outcome,
    count: text,
    data: listOf(leavesSchema).meta({
      description: 'A row per instance; what is in its `data` depends on the action.',
    }),
    mainProcess: text.meta({ description: 'Process id of the worker.' }),
    msg: text,
  })
  .meta({
    id: 'Collected',
    description: 'Of `checkurl`, `queryk`, `updatek` and `service`: what was gathered of instances.',
  });
export type CollectedEntry = z.infer<typeof collectedSchema>;

/** An entry is told by the fields that only its kind has; the one with the fewest comes last. */
const entrySchema = z.union([
  batchSchema,
  differenceRowSchema,
  checkRowSchema,
  collectedSchema,
  deployEndSchema,
  // Of `Deploy:Db:initdb`.
  text,
]);

export const jobAnswerSchema = envelopeOf(listOf(entrySchema), {
  plan: text.optional().meta({ description: 'Of a dry run: the hash that stands for all that it saw.' }),
})
  .extend({ job: jobSchema })
  .meta({ id: 'JobAnswer', description: 'The answer of a job, while it runs and at its end.' });
export type JobAnswer = z.infer<typeof jobAnswerSchema>;

/** A refusal: `msg` says what, where, and what to do. `job` is the deployment that is in the way. */
export const refusalSchema = envelopeOf(absent, {})
  .extend({ code: z.literal('-1'), msg: text })
  .meta({ id: 'Refusal', description: 'Nothing was done. `job`: the deployment that is in the way.' });
export type Refusal = z.infer<typeof refusalSchema>;

/** A good answer without data of its own. */
export const doneSchema = envelopeOf(absent, {}).meta({ id: 'Done', description: '`data.msg` tells what was done.' });
