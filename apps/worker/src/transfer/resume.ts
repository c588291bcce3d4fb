import type { Manifest } from '@rexdeploy/store/manifest';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';
import type { Delta } from './delta.js';
import { type ListedEntry, parseListing } from './listing.js';

/** A listing of 500,000 entries takes about this much. */
const MAX_LISTING_BYTES = 128 * 1024 ** 2;
/** What arrived is hashed on the host; 226 MB/s were measured. */
const HASH_TIMEOUT_MS = 30 * 60_000;
/** The former attempt ended its work while nobody listened. */
const PLACED = 96;

/**
 * Ends a former attempt of this deployment that may still run on the host, and finds what of its release arrived whole.
 * Whatever else it left is removed.
 * @returns paths that need not be sent again; undefined when the release is in place by now
 */
export async function resumeTransfer(
  context: InstanceContext,
  delta: Pick<Delta, 'send'>,
): Promise<Set<string> | undefined> {
  const transport = await context.host();
  const wanted = delta.send.flatMap((entry) => (entry.type === 'file' ? `${entry.sha256}  ${entry.path}\0` : []));
  const { code, stdout } = await transport.run(scripts.resume, [context.plan.programRelease], {
    input: wanted.join(''),
    signal: context.signal,
    okCodes: [0, PLACED],
    timeoutMs: HASH_TIMEOUT_MS,
    maxOutputBytes: MAX_LISTING_BYTES,
  });
  if (code === PLACED) return undefined;
  const { entries, digests } = parseListing(stdout);
  return wholeFiles({ entries: delta.send }, entries, digests);
}

/** Files that lie there as they are wanted, with mode and time: an attempt may have been cut off between the two. */
export function wholeFiles(
  wanted: Manifest,
  listed: readonly ListedEntry[],
  digests: ReadonlyMap<string, string>,
): Set<string> {
  const there = new Map(listed.map((entry) => [entry.path, entry]));
  const whole = wanted.entries.filter((entry) => {
    const found = there.get(entry.path);
    if (entry.type !== 'file' || found?.type !== 'file') return false;
    const isSame = found.mode === entry.mode && found.size === entry.size && Number(found.mtime) === entry.mtime;
    return isSame && digests.get(entry.path) === entry.sha256;
  });
  return new Set(whole.map(({ path }) => path));
}
