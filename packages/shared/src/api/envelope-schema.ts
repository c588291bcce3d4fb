import { z } from 'zod';
import { type Leaves, leavesSchema, textOrAbsent } from './leaves.js';

/** The documented answer. Every leaf is a string, every list an object with keys "0", "1", …; absent is `{}`. */

export type { Leaves };

const text = z.string();

/** The 18 documented fields of an instance record; the misspellings are part of the contract. */
export const instanceRecordSchema = z
  .strictObject({
    deloy_configdir_after: textOrAbsent,
    deloy_configdir_before: textOrAbsent,
    deloy_prodir_after: textOrAbsent,
    deloy_prodir_before: textOrAbsent,
    deloy_prodir_real_before: textOrAbsent,
    deloy_size: textOrAbsent,
    deploy_ip: text,
    deploy_key: text,
    deploy_take: text,
    end_time: text,
    processNumber: textOrAbsent,
    randomStr: text,
    rollRecord: text,
    rollStatus: text,
    rollbackNumber: text,
    rsync_war_time: text,
    start_app_time: text,
    start_time: text,
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
  msg: text.optional(),
  data: z.looseObject({ code: z.enum(['0', '1', '-1']), data: leavesSchema, msg: text }),
  param: z.record(text, text),
  parseparameters: z.strictObject({ code: text, msg: text, precmd: text, requestCmd: text }),
  print_stdout: text,
  respon: z.strictObject({
    chdir: text,
    cmd: text,
    code: text,
    msg: text,
    ret: text,
    stderr: text,
    stdout: text,
  }),
  take: text,
  job: jobSchema.optional(),
});
export interface Envelope extends Omit<z.infer<typeof envelopeSchema>, 'data'> {
  data: { code: '0' | '1' | '-1'; data: Leaves; msg: string; [further: string]: Leaves };
}
