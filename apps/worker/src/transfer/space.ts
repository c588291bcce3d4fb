import { TransferError } from '@rexdeploy/shared/errors/host-errors';
import type { Manifest, ManifestEntry } from '@rexdeploy/store/manifest';
import type { Disk, InstanceFacts, Size } from '../hosts/inspect.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Delta } from './delta.js';

/** Left free besides the releases themselves, for logs and whatever else runs there. */
const RESERVE: Size = { bytes: 16 * 1024 ** 2, inodes: 64 };
/** What file systems give out at least; an entry takes whole ones. */
const BLOCK_BYTES = 4096;

/** What an instance's new release takes on one file system. */
export interface Need extends Size {
  instance: string;
  host: string;
  /** The deployed directory beside which it is taken. */
  place: string;
  disk: Disk;
}

/** What a tree takes on a disk; symlinks mostly lie in their inode. */
export function sizeOf(entries: Iterable<ManifestEntry>): Size {
  const size: Size = { bytes: 0, inodes: 0 };
  for (const entry of entries) {
    size.bytes += entry.type === 'dir' ? BLOCK_BYTES : Math.ceil(entry.size / BLOCK_BYTES) * BLOCK_BYTES;
    size.inodes += 1;
  }
  return size;
}

/** What the program takes: hard links take nothing. */
export const programSize = (reuse: 'copy' | 'link', delta: Delta): Size =>
  sizeOf(reuse === 'link' ? delta.send : delta.target.entries);

/**
 * What a release takes besides what an unfinished attempt has taken already.
 * @param facts with sizes, of all but the program at least
 * @param program what the program takes
 * @param config what is laid over a configuration of its own
 */
export function needsOf(
  { instance, plan }: Pick<InstanceContext, 'instance' | 'plan'>,
  facts: InstanceFacts,
  program: Size,
  config: { tree: Manifest; keepCurrent: boolean },
): Need[] {
  const at = { instance: instance.key, host: `${instance.host.toLowerCase()}:${instance.ssh.port}` };
  // It arrives beside the program, before it is laid over the configuration.
  const laid = sizeOf(config.tree.entries);
  const needs: Need[] = [
    { ...at, place: plan.programDir, disk: facts.program.disk, ...beyond(sum(program, laid), facts.program.partial) },
  ];
  if (facts.config !== undefined && plan.configPresent !== true) {
    const kept = config.keepCurrent ? (facts.config.size ?? NOTHING) : NOTHING;
    needs.push({ ...at, place: facts.config.path, disk: facts.config.disk, ...sum(kept, laid) });
  }
  if (facts.shared !== undefined && facts.shared.size.inodes > 0)
    needs.push({ ...at, place: plan.programDir, disk: facts.shared.disk, ...facts.shared.size });
  return needs;
}

export const NOTHING: Size = { bytes: 0, inodes: 0 };
export const sum = (a: Size, b: Size): Size => ({ bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes });
const beyond = (all: Size, there: Size = NOTHING): Size => ({
  bytes: Math.max(0, all.bytes - there.bytes),
  inodes: Math.max(0, all.inodes - there.inodes),
});

/** File systems on which the needs do not fit, each with the needs that meet there. */
export function findOverfull(needs: readonly Need[]): Need[][] {
  const byDisk = new Map<string, Need[]>();
  for (const need of needs) {
    const disk = `${need.host} ${need.disk.device}`;
    byDisk.set(disk, [...(byDisk.get(disk) ?? []), need]);
  }
  return [...byDisk.values()].filter((group) => shortages(group).length > 0);
}

/** @throws TransferError naming needed and available when they do not fit on a host */
export function checkSpace(host: string, needs: readonly Need[]): void {
  const [group] = findOverfull(needs);
  if (group !== undefined) throw shortage(host, group);
}

/** @param group needs that meet on one file system of the host and do not fit */
export function shortage(host: string, group: readonly Need[]): TransferError {
  const keys = [...new Set(group.map(({ instance }) => instance))];
  const verb = keys.length === 1 ? 'needs' : 'need';
  return new TransferError({
    host,
    what: `${keys.join(' and ')} ${verb} ${shortages(group).join(', and ')}`,
    whatToDo: 'free space on the host, or lower keep_releases',
  });
}

function shortages(group: readonly Need[]): string[] {
  const needed = group.reduce(sum, RESERVE);
  const place = group[0]?.place;
  const short = (what: string, want: number, free: (disk: Disk) => number | undefined): string[] => {
    const available = Math.min(...group.map(({ disk }) => free(disk) ?? Number.POSITIVE_INFINITY));
    return available >= want ? [] : [`${want} ${what} beside ${place}, ${available} are available`];
  };
  return [
    ...short('bytes', needed.bytes, ({ freeBytes }) => freeBytes),
    ...short('inodes', needed.inodes, ({ freeInodes }) => freeInodes),
  ];
}
