import { z } from 'zod';
import { identifier, inherited, integer, nonEmpty, remotePath } from './primitives.js';

/** A script called with `start`/`stop`, or the two commands themselves. */
export const serviceSchema = z.union([remotePath, z.strictObject({ start: nonEmpty, stop: nonEmpty })], {
  error: 'the path of a script, or {start, stop} commands',
});
export type ServiceSection = z.infer<typeof serviceSchema>;

export const transferSchema = z.strictObject({
  /** How unchanged files come from the current release: `copy` (reflink where the disk can) or `link`. */
  reuse: z.enum(['copy', 'link']).default('copy'),
  /** Instances staged at the same time. */
  parallel: integer(1, 64).default(4),
  compression: z.enum(['none']).default('none'),
});

export const instanceSchema = z.strictObject({
  host: nonEmpty,
  program_dir: remotePath,
  config_dir: remotePath.optional(),
  service: serviceSchema.optional(),
  /** Pattern matched against full command lines, as `pgrep -f`. */
  process: nonEmpty.optional(),
  /** Port of the instance's line in the balancer, where its host has several. */
  balancer_port: integer(1, 65_535).optional(),
  ssh: inherited,
  balancer: inherited,
  health: inherited,
});
export type InstanceSection = z.infer<typeof instanceSchema>;

export const DEFAULT_EXCLUDE = ['*.log', '*.tmp', '*.sw*', 'nohup.out', '.svn'];

export const nameSchema = z.strictObject({
  desc: z.string().optional(),
  /** Batches in order; several instances of one batch are separated by spaces. Absent: one by one, as listed. */
  rollout: z.array(nonEmpty).min(1).optional(),
  keep_releases: integer(2, 1000).default(5),
  balancer: inherited,
  health: inherited,
  on_failure: z.enum(['rollback']).default('rollback'),
  /** Further attempts of a step after a connection-class error. */
  retries: integer(0, 20).default(2),
  exclude: z.array(nonEmpty).default(DEFAULT_EXCLUDE),
  transfer: transferSchema.prefault({}),
  ssh: inherited,
  instances: z.record(identifier, instanceSchema).refine((all) => Object.keys(all).length > 0, 'at least one instance'),
});
export type NameSection = z.infer<typeof nameSchema>;
