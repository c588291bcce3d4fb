import { z } from 'zod';
import { onFailureSchema } from '../journal/events.js';
import { freezesSchema } from './freeze.js';
import { durationMs, identifier, inherited, integer, nonEmpty, remotePath } from './primitives.js';

/** A script called with `start`/`stop`, or the two commands themselves. */
export const serviceSchema = z.union([remotePath, z.strictObject({ start: nonEmpty, stop: nonEmpty })], {
  error: 'the path of a script, or {start, stop} commands',
});
export type ServiceSection = z.infer<typeof serviceSchema>;

/** Longest that a service may take to start and to stop; counted in whole seconds. */
export const serviceTimeoutSchema = z.strictObject({
  start: durationMs.default(120_000),
  stop: durationMs.default(60_000),
});

export const transferSchema = z.strictObject({
  /** How unchanged files come from the current release: `copy` (reflink where the disk can) or `link`. */
  reuse: z.enum(['copy', 'link']).default('copy'),
  /** Instances staged at the same time. */
  parallel: integer(1, 64).default(4),
  /** `auto` measures the line and packs what goes over a slow one. */
  compression: z.enum(['auto', 'none', 'gzip']).default('auto'),
});

export const instanceSchema = z.strictObject({
  host: nonEmpty,
  program_dir: remotePath,
  config_dir: remotePath.optional(),
  /** 1: the configuration is a part of the program's tree, at `config_dir` inside of `program_dir`; 2: it is a tree of its own. */
  is_deloy_dir: integer(1, 2).default(2),
  service: serviceSchema.optional(),
  /** Pattern matched against full command lines, as `pgrep -f`. */
  process: nonEmpty.optional(),
  /** Port of the instance's line in the balancer, where its host has several. */
  balancer_port: integer(1, 65_535).optional(),
  /** Where the app logs on its host; `*`, `?` and `[…]` as in a shell, the newest file counts. */
  log: remotePath.optional(),
  ssh: inherited,
  balancer: inherited,
  health: inherited,
});
export type InstanceSection = z.infer<typeof instanceSchema>;

export const DEFAULT_EXCLUDE = ['*.log', '*.tmp', '*.sw*', 'nohup.out', '.svn'];

/** Commands on the instance's host, run as part of its switch; empty = none. */
export const hooksSchema = z.strictObject({
  before_stop: z.string().default(''),
  after_switch: z.string().default(''),
  after_start: z.string().default(''),
});

/** A path inside the program; nothing that `find`, a list or a line could misread. */
const sharedEntry = z
  .string({ error: 'a path inside the program' })
  .refine(
    (path) =>
      /^[^\p{Cc}*?[\]\\]+$/u.test(path) &&
      !path.split('/').some((part) => part === '' || part === '.' || part === '..'),
    'a path inside the program without ".", "..", "//", a "/" at either end or wildcards',
  );
const isInside = (path: string, folder: string): boolean => `${path}/`.startsWith(`${folder}/`);

export const nameSchema = z.strictObject({
  desc: z.string().optional(),
  /** Batches in order; several instances of one batch are separated by spaces. Absent: one by one, as listed. */
  rollout: z.array(nonEmpty).min(1).optional(),
  keep_releases: integer(2, 1000).default(5),
  balancer: inherited,
  health: inherited,
  /** As of an instance, with `{instance}` filled in. */
  log: remotePath.optional(),
  /** After a failure: `rollback` the failed instance and stop; `rollback_all` of them; or `halt` and touch nothing. */
  on_failure: onFailureSchema.default('rollback'),
  /** A deployment that is held for longer is cancelled; absent = it may be held for ever. */
  hold_timeout: durationMs.optional(),
  /** Times in which nothing is rolled out, beside those of the whole file. */
  freeze: freezesSchema,
  /** Further attempts of a step after a connection-class error. */
  retries: integer(0, 20).default(2),
  exclude: z.array(nonEmpty).default(DEFAULT_EXCLUDE),
  /** Files and directories of the program that outlive its releases. */
  shared: z
    .array(sharedEntry)
    .refine(
      (all) => !all.some((path, at) => all.some((other, of) => at !== of && isInside(path, other))),
      'paths of which none is given twice or lies in another',
    )
    .default([]),
  hooks: hooksSchema.prefault({}),
  service_timeout: serviceTimeoutSchema.prefault({}),
  transfer: transferSchema.prefault({}),
  ssh: inherited,
  instances: z.record(identifier, instanceSchema).refine((all) => Object.keys(all).length > 0, 'at least one instance'),
});
export type NameSection = z.infer<typeof nameSchema>;
