import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { HostError } from '@rexdeploy/shared/errors/host-errors';
import type { InstancePlan, Side } from '@rexdeploy/shared/journal/events';
import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import { checkFacts } from './answers.js';
import { findExclusions } from './exclusions.js';
import { parseMeta, type ReleaseMeta } from './meta.js';
import { scripts } from './remote-scripts.js';

/** One directory of an instance as it stands before anything is changed. */
export interface SideFacts extends Side {
  meta?: ReleaseMeta | undefined;
  /** Digest of the current tree's listing, where it was asked for and `meta` gives one to compare with. */
  listing?: string | undefined;
  freeKib: number;
  freeInodes: number;
  /** What lies beside the release to be made, where an earlier attempt of this deployment placed it already. */
  staged?: ReleaseMeta | undefined;
}

export interface InstanceFacts {
  program: SideFacts;
  config?: SideFacts | undefined;
  /** Matching processes; absent without a pattern. */
  processes?: number | undefined;
}

const count = z.coerce.number().int().nonnegative();
const answerSchema = z
  .object({
    'program.kind': z.enum(['link', 'directory', 'absent', 'other']),
    'config.kind': z.enum(['link', 'directory', 'absent', 'other']).optional(),
    service: z.enum(['yes', 'no']).optional(),
    processes: count.optional(),
    user: z.string(),
  })
  .catchall(z.string());

/**
 * Looks at an instance: what is linked, what lies beside it, what runs. One round trip, nothing is changed.
 * @throws HostError for whatever would make the roll-out fail later: directory not writable, no service script, …
 */
export async function inspect(
  transport: Transport,
  instance: ResolvedInstance,
  plan: InstancePlan,
  deployment: string,
  options: { exclude: readonly string[]; listing: boolean; signal: AbortSignal },
): Promise<InstanceFacts> {
  const service = typeof instance.service === 'string' ? instance.service : '';
  const result = await transport.run(
    scripts.inspect,
    [
      plan.programDir,
      plan.programRelease,
      plan.configDir ?? '',
      plan.configRelease ?? '',
      service,
      instance.process ?? '',
      options.listing ? 'yes' : 'no',
      ...findExclusions(options.exclude),
    ],
    { signal: options.signal, timeoutMs: 120_000 },
  );
  const facts = checkFacts(answerSchema, result.stdout, instance.host, 'inspect');
  if (facts.service === 'no') {
    throw new HostError({
      host: instance.host,
      what: `the service script ${service} of ${instance.key} is not there or may not be executed by ${facts.user}`,
      whatToDo: 'install it, or correct `service` in config.yml',
    });
  }
  const side = (prefix: 'program' | 'config', path: string, release: string): SideFacts =>
    readSide(facts, prefix, path, release, instance, deployment);
  return {
    program: side('program', plan.programDir, plan.programRelease),
    config: plan.configDir === undefined ? undefined : side('config', plan.configDir, plan.configRelease ?? ''),
    processes: facts.processes,
  };
}

function readSide(
  facts: z.infer<typeof answerSchema>,
  prefix: 'program' | 'config',
  path: string,
  release: string,
  instance: ResolvedInstance,
  deployment: string,
): SideFacts {
  const { host, key } = instance;
  const text = (name: string): string | undefined => facts[`${prefix}.${name}`]?.toString();
  const kind = facts[`${prefix}.kind`];
  if (kind === undefined || kind === 'other') {
    throw new HostError({
      host,
      what: `${path} of ${key} is neither a link nor a directory`,
      whatToDo: 'move it away',
    });
  }
  const dangling = text('dangling');
  if (dangling !== undefined) {
    throw new HostError({
      host,
      what: `${path} of ${key} leads to ${dangling}, which is not there`,
      whatToDo: `link it to a release that is, or remove the link: ls -d ${path}_*`,
    });
  }
  const writable = text('writable');
  if (writable !== 'yes') {
    throw new HostError({
      host,
      what: `${writable} cannot be written by ${facts.user}, so no release of ${key} can be placed there`,
      whatToDo: `make it writable: chown ${facts.user} ${writable}`,
    });
  }
  const releaseMeta = parseMeta(text('release_meta'));
  const exists = text('release_exists') === 'yes';
  if (exists && releaseMeta?.deployment !== deployment) {
    throw new HostError({
      host,
      what: `${release} is there already and not of this deployment`,
      whatToDo: 'move it away',
    });
  }
  return {
    path,
    kind,
    real: text('real') || undefined,
    meta: parseMeta(text('meta')),
    listing: text('listing'),
    freeKib: Number(text('free_kib') ?? 0),
    freeInodes: Number(text('free_inodes') ?? 0),
    staged: exists ? releaseMeta : undefined,
  };
}
