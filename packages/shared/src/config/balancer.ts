import { z } from 'zod';
import { durationMs, nonEmpty, remotePath } from './primitives.js';
import { sshSchema } from './ssh.js';

const nginxSchema = z.strictObject({
  type: z.literal('nginx'),
  /** Host that runs nginx; reached with the environment's `ssh` unless `ssh` here says otherwise. */
  host: nonEmpty,
  ssh: sshSchema.optional(),
  /** File on that host with the `server` lines of the name's instances. */
  upstream_file: remotePath,
  /** How long requests already accepted may take to end after an instance left rotation. */
  settle: durationMs.default(0),
  /** Time for nginx to take over a changed file. */
  timeout: durationMs.default(30_000),
});

const noneSchema = z.strictObject({ type: z.literal('none') });

export const balancerSchema = z.discriminatedUnion('type', [nginxSchema, noneSchema]);

export type BalancerSection = z.infer<typeof balancerSchema>;
export type NginxSection = z.infer<typeof nginxSchema>;
