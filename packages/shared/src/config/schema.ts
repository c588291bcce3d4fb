import { z } from 'zod';
import { freezesSchema } from './freeze.js';
import { nameSchema } from './name.js';
import { durationMs, identifier, inherited, integer, nonEmpty, sizeBytes } from './primitives.js';

/** The whole of `config.yml` (contract: design §5). The one source of checks, defaults and the editors' JSON Schema. */

const environmentSchema = z.strictObject({
  desc: z.string().default(''),
  allow_senv: z.array(identifier).default([]),
  ssh: inherited,
  balancer: inherited,
  health: inherited,
  names: z.record(identifier, nameSchema).default({}),
});
export type EnvironmentSection = z.infer<typeof environmentSchema>;

export const configSchema = z.strictObject({
  env: z.strictObject({ key: identifier }),
  timezone: z
    .string()
    .refine(isTimeZone, 'a time zone such as Asia/Shanghai')
    .default(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
  data_dir: nonEmpty.default('data'),
  redis: z
    .strictObject({
      /** Empty or absent: an own redis-server under `data_dir`. */
      url: z
        .string()
        .refine((url) => url === '' || /^rediss?:\/\/\S+$/.test(url), 'redis://… or rediss://…, or nothing')
        .default(''),
      prefix: z
        .string()
        .regex(/^[A-Za-z0-9{}_-]{1,40}$/, 'letters, digits, "_", "-" or "{}"')
        .default('rex'),
    })
    .prefault({}),
  api: z
    .strictObject({
      host: nonEmpty.default('127.0.0.1'),
      /** 0 = any free port; the API prints the one it took. */
      port: integer(0, 65_535).default(3000),
      print_stdout: integer(0, 1).default(0),
      /** Types of answers: as the API page shows them, or as the original really sent them. */
      envelope: z.enum(['page', 'original']).default('page'),
      /** Requests a minute and token. */
      rate_limit: integer(1, 1_000_000).default(600),
    })
    .prefault({}),
  worker: z
    .strictObject({
      concurrency: integer(1, 256).default(4),
      /** A worker that could not renew its claim for this long has lost it. */
      lock: durationMs.default(15_000),
      /** How often a worker looks for deployments whose worker is gone. */
      stalled_check: durationMs.default(5_000),
      /** How long an instance must have been out of rotation, owned by nobody, before it is given back. */
      sweep_after: durationMs.default(30_000),
    })
    .superRefine(checkWorker)
    .prefault({}),
  journal: z
    .strictObject({
      /** Finished deployments older than this are forgotten … */
      keep: durationMs.default(90 * 86_400_000),
      /** … except the newest of each name. */
      keep_per_name: integer(1, 100_000).default(50),
    })
    .prefault({}),
  packages: z
    .strictObject({
      /** Hosts that `url` may name; `*.example.com` for all below a domain. None by default. */
      allow_hosts: z.array(nonEmpty).default([]),
      max_bytes: sizeBytes.default(4 * 1024 ** 3),
      /** Uploaded packages kept for each name. */
      keep: integer(1, 10_000).default(10),
    })
    .prefault({}),
  /** Times in which nothing is rolled out; names may have more. */
  freeze: freezesSchema,
  notify: z.array(z.never('nothing: notifications are not part of this version')).default([]),
  environments: z
    .record(identifier, environmentSchema)
    .refine((all) => Object.keys(all).length > 0, 'at least one environment'),
});

export type ConfigFile = z.infer<typeof configSchema>;

/** A shorter one is lost by a worker that is merely busy. */
const MIN_LOCK_MS = 1_000;
const MIN_STALLED_CHECK_MS = 100;

/** On the section, not on its keys: a refined duration is another schema than the one that defaults are told by. */
function checkWorker({ lock, stalled_check: look }: { lock: number; stalled_check: number }, context: z.RefinementCtx) {
  const issue = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (lock < MIN_LOCK_MS) issue('lock', 'at least 1s');
  if (look < MIN_STALLED_CHECK_MS) issue('stalled_check', 'at least 100ms');
  // Where only the lock is given, it is the default that is too long.
  if (look > lock) issue('stalled_check', `at most the ${lock}ms of worker.lock; it is ${look}ms`);
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
