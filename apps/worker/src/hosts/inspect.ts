import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { HostError } from '@rexdeploy/shared/errors/host-errors';
import type { InstancePlan, Side } from '@rexdeploy/shared/journal/events';
import type { Transport } from '@rexdeploy/ssh/transport';
import { z } from 'zod';
import { sharedFolder, sharedList } from '../transfer/shared.js';
import { checkFacts } from './answers.js';
import { findExclusions } from './exclusions.js';
import { parseMeta, type ReleaseMeta } from './meta.js';
import { scripts } from './remote-scripts.js';

/** A file system of a host; where one of its figures means nothing, it is absent. */
export interface Disk {
  /** Equal for two folders of one host that share their space. */
  device: string;
  freeBytes?: number | undefined;
  freeInodes?: number | undefined;
}

export interface Size {
  bytes: number;
  inodes: number;
}

/** One directory of an instance as it stands before anything is changed. */
export interface SideFacts extends Side {
  meta?: ReleaseMeta | undefined;
  /** Digest of the current tree's listing, where it was asked for and `meta` gives one to compare with. */
  listing?: string | undefined;
  /** Where it was measured. */
  disk: Disk;
  /** What the present tree takes, where that was asked for. */
  size?: Size | undefined;
  /** An earlier attempt left an unfinished release; what it takes, where sizes were asked for. */
  partial?: Size | undefined;
  /** What lies beside the release to be made, where an earlier attempt of this deployment placed it already. */
  staged?: ReleaseMeta | undefined;
}

export interface InstanceFacts {
  program: SideFacts;
  config?: SideFacts | undefined;
  /** What is to be copied into the folder of shared entries, where sizes were asked for and anything is shared. */
  shared?: { disk: Disk; size: Size } | undefined;
  /** Time of the host before anything was read, in seconds since 1970; absent where no digest was wanted. */
  nowSeconds?: number | undefined;
  /** Matching processes; absent without a pattern. */
  processes?: number | undefined;
}

export interface InspectOptions {
  exclude: readonly string[];
  /** Is the digest of the present program wanted? */
  listing: boolean;
  signal: AbortSignal;
  /** What is measured: what is free, also what all but the program takes, or also the program; absent: nothing. */
  measure?: 'disk' | 'rest' | 'all' | undefined;
  /** Entries of the program that outlive its releases; for their sizes. */
  shared?: readonly string[] | undefined;
}

const count = z.coerce.number().int().nonnegative();
const answerSchema = z
  .object({
    'program.kind': z.enum(['link', 'directory', 'absent', 'other']),
    'config.kind': z.enum(['link', 'directory', 'absent', 'other']).optional(),
    service: z.enum(['yes', 'no']).optional(),
    processes: count.optional(),
    user: z.string(),
    now: z.coerce.number().optional(),
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
  options: InspectOptions,
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
      options.measure ?? 'no',
      sharedFolder(plan.programDir),
      sharedList(options.shared ?? []),
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
  const side = (prefix: 'program' | 'config', path: string, release: string, present: boolean): SideFacts =>
    readSide(facts, prefix, path, { release, present }, instance, deployment);
  const present = plan.present === true;
  return {
    program: side('program', plan.programDir, plan.programRelease, present),
    config:
      plan.configDir === undefined
        ? undefined
        : side('config', plan.configDir, plan.configRelease ?? '', present || plan.configPresent === true),
    shared:
      facts['shared.device'] === undefined
        ? undefined
        : { disk: readDisk(facts, 'shared'), size: readSize(facts, 'shared.size') ?? { bytes: 0, inodes: 0 } },
    nowSeconds: facts.now,
    processes: facts.processes,
  };
}

type Facts = z.infer<typeof answerSchema>;

function readDisk(facts: Facts, prefix: string): Disk {
  const figure = (name: string): number | undefined => {
    const text = facts[`${prefix}.${name}`];
    return text === undefined || !/^\d+$/.test(String(text)) ? undefined : Number(text);
  };
  const freeKib = figure('free_kib');
  return {
    device: String(facts[`${prefix}.device`] ?? ''),
    freeBytes: freeKib === undefined ? undefined : freeKib * 1024,
    // Some file systems make inodes as they go and count none.
    freeInodes: (figure('all_inodes') ?? 0) === 0 ? undefined : figure('free_inodes'),
  };
}

function readSize(facts: Facts, name: string): Size | undefined {
  const [kib, inodes] = [facts[`${name}_kib`], facts[`${name}_inodes`]];
  return kib === undefined || inodes === undefined ? undefined : { bytes: Number(kib) * 1024, inodes: Number(inodes) };
}

function readSide(
  facts: Facts,
  prefix: 'program' | 'config',
  path: string,
  { release, present }: { release: string; present: boolean },
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
      whatToDo: `make it writable: chown ${facts.user} ${writable}, or mount its file system for writing`,
    });
  }
  if (text('mounted') === 'yes') {
    throw new HostError({
      host,
      what: `${path} of ${key} is a mount point, so no link can take its place`,
      whatToDo: 'mount that file system one folder higher, or name a folder below it',
    });
  }
  const releaseMeta = parseMeta(text('release_meta'));
  const exists = text('release_exists') === 'yes';
  if (present && !exists && release !== '') {
    throw new HostError({
      host,
      what: `${release} is no longer there`,
      whatToDo: `choose another release: ls -d ${path}_*`,
    });
  }
  if (exists && !present && releaseMeta?.deployment !== deployment) {
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
    disk: readDisk(facts, prefix),
    size: readSize(facts, `${prefix}.size`),
    partial:
      text('partial') === undefined ? undefined : (readSize(facts, `${prefix}.partial`) ?? { bytes: 0, inodes: 0 }),
    staged: exists && !present ? releaseMeta : undefined,
  };
}
