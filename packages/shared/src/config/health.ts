import { z } from 'zod';
import { durationMs, integer } from './primitives.js';

/** HTTP check of an instance after its start; `{host}` and `{instance}` in the address are filled in. */
export const healthSchema = z.strictObject({
  url: z.string().regex(/^https?:\/\/\S+$/, 'an http or https address'),
  status: integer(100, 599).default(200),
  /** Text that the body must contain; empty = anything. */
  contains: z.string().default(''),
  delay: durationMs.default(0),
  /** Pause between attempts; absent = short at first, growing to one second. */
  interval: durationMs.optional(),
  attempts: integer(1, 10_000).default(30),
  /** Limit of one attempt. */
  timeout: durationMs.default(5_000),
});

export type HealthSection = z.infer<typeof healthSchema>;
