import { z } from 'zod';
import { onFailureSchema, whenBusySchema } from '../journal/events.js';

/** Parameters that all actions of `POST /rex` share which change instances, as text, the way forms send them. */

export const switched = z.enum(['0', '1'], { error: '0 or 1' });

export const MAX_WAIT_SECONDS = 3600;

export const waitSchema = z
  .string()
  .regex(/^\d{1,4}$/, `whole seconds, at most ${MAX_WAIT_SECONDS}`)
  .refine((text) => Number(text) <= MAX_WAIT_SECONDS, `whole seconds, at most ${MAX_WAIT_SECONDS}`)
  .meta({ description: `Seconds to hold the answer until the job ends, at most ${MAX_WAIT_SECONDS}.` });

export const targetSchema = z.string().min(1, 'a name').max(4096, 'a name, at most 4096 characters').meta({
  description: 'A name; or instance keys of one name, separated by spaces, to roll only these, in that order.',
});

/** The token may be among the parameters. A header keeps it out of more logs. */
export const tokenParam = z.string().optional().meta({ description: 'The token, where no header has it.' });

export const sprintParam = switched
  .optional()
  .meta({ description: "`1`: put the roll-out's log into `respon.stdout`." });

export const rolloutParams = {
  k: targetSchema,
  hold: switched.optional().meta({ description: '`1`: stop after the first batch until resumed.' }),
  on_failure: z
    .enum(onFailureSchema.options, { error: 'rollback, rollback_all or halt' })
    .optional()
    .meta({ description: "In place of the name's own `on_failure`." }),
  when_busy: z.enum(whenBusySchema.options, { error: 'refuse, queue or supersede' }).optional().meta({
    description:
      'While another job has the name: `refuse` (default) answers 409; `queue` waits its turn; `supersede` replaces what has not begun, and waits only for what has.',
  }),
  force: switched
    .optional()
    .meta({ description: '`1`: also in a freeze window; needs a token with the role `admin`.' }),
  wait: waitSchema.optional(),
  sprint: sprintParam,
  token: tokenParam,
};

export const rolloutParamsSchema = z.object(rolloutParams);
export type RolloutParams = z.infer<typeof rolloutParamsSchema>;
