import { z } from 'zod';
import { type Leaves, leavesSchema, textOrAbsent } from './leaves.js';

/** The documented answer. Every leaf is a string, every list an object with keys "0", "1", …; absent is `{}`. */

export type { Leaves };

const text = z.string();

/** The 18 documented fields of an instance record; the misspellings are part of the contract. */
export const instanceRecordSchema = z
  .strictObject({
    deloy_configdir_after: textOrAbsent.meta({ description: 'Directory of the configuration now.' }),
    deloy_configdir_before: textOrAbsent.meta({
      description: 'Directory of the configuration before; `{}`: there was none.',
    }),
    deloy_prodir_after: textOrAbsent.meta({ description: 'Directory of the program now: the new release.' }),
    deloy_prodir_before: textOrAbsent.meta({ description: 'Directory of the program before: the former release.' }),
    deloy_prodir_real_before: textOrAbsent.meta({ description: 'Always `{}`.' }),
    deloy_size: textOrAbsent.meta({
      description: 'Size and directory of program and configuration, as `du -sh` writes it.',
    }),
    deploy_ip: text.meta({ description: 'Its host.' }),
    deploy_key: text.meta({ description: 'Its key.' }),
    deploy_take: text.meta({ description: 'Seconds that it took, in all and in part.' }),
    end_time: text.meta({ description: 'When it served again, in the configured time zone.' }),
    processNumber: textOrAbsent.meta({ description: 'How many processes run; `{}`: none are looked for.' }),
    randomStr: text.meta({ description: 'Ten digits of seconds and nine of chance: the record itself.' }),
    rollRecord: text.meta({ description: '`1`: it was rolled back to.' }),
    rollStatus: text.meta({ description: '`1`: it is marked as the one to roll back to.' }),
    rollbackNumber: text.meta({ description: 'How often a rollback went by this record.' }),
    rsync_war_time: text.meta({ description: 'When the release lay on its host.' }),
    start_app_time: text.meta({ description: 'When it was started.' }),
    start_time: text.meta({ description: 'When its turn came.' }),
  })
  .meta({ id: 'InstanceRecord', description: 'An instance that has its new release.' });
export type InstanceRecord = z.infer<typeof instanceRecordSchema>;

export const jobSchema = z
  .strictObject({
    id: text,
    state: z.enum(['queued', 'running', 'held', 'succeeded', 'failed', 'cancelled']),
    k: text,
    action: text,
    created_at: text,
    url: text,
    events: text,
    progress: z.strictObject({
      done: text,
      total: text,
      instance: text,
      step: text,
      bytes: text,
      bytes_total: text,
    }),
    /** Whom it waits for: `waits for <id> (<k>, <state>)`. Absent when it waits for nobody. */
    why: text.optional(),
    /** After a failure: whether all that was touched got back what it had. Absent while nothing failed. */
    rollback: z.enum(['done', 'failed', 'none']).optional(),
  })
  .meta({ id: 'Job', description: 'The job behind an answer.' });
export type JobView = z.infer<typeof jobSchema>;

export const envelopeSchema = z.strictObject({
  code: z.enum(['0', '-1']),
  msg: text.optional().meta({ description: 'Of what was refused, failed or cancelled: why.' }),
  data: z.looseObject({ code: z.enum(['0', '1', '-1']), data: leavesSchema, msg: text }),
  param: z.record(text, text).meta({ description: 'Parameters as received.' }),
  parseparameters: z.strictObject({ code: text, msg: text, precmd: text, requestCmd: text }),
  print_stdout: text.meta({ description: '`1`: `respon.stdout` holds the log.' }),
  respon: z.strictObject({
    chdir: text,
    cmd: text.meta({ description: 'The same as a command line.' }),
    code: text,
    msg: text,
    ret: text.meta({ description: '`0` done, `1` failed, empty while it runs.' }),
    stderr: text.meta({ description: 'Why it failed.' }),
    stdout: text.meta({ description: "The roll-out's log, with `sprint=1`." }),
  }),
  take: text.meta({ description: 'Seconds.' }),
  job: jobSchema.optional(),
});
export interface Envelope extends Omit<z.infer<typeof envelopeSchema>, 'data'> {
  data: { code: '0' | '1' | '-1'; data: Leaves; msg: string; [further: string]: Leaves };
}
