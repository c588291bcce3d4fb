import type { Transport } from '@rexdeploy/ssh/transport';
import type { Manifest } from '@rexdeploy/store/manifest';
import type { Store } from '@rexdeploy/store/store';
import { findExclusions } from '../hosts/exclusions.js';
import type { SideFacts } from '../hosts/inspect.js';
import { scripts } from '../hosts/remote-scripts.js';
import { EMPTY, unchangedPart } from './delta.js';
import { type ListedEntry, manifestOf, parseListing } from './listing.js';

/** A listing of 500,000 entries takes about this much. */
const MAX_LISTING_BYTES = 128 * 1024 ** 2;
/** Hashing a tree on a host: 226 MB/s were measured, so this is enough for some 400 GB. */
const HASH_TIMEOUT_MS = 30 * 60_000;

export interface BaseQuery {
  transport: Transport;
  store: Store;
  side: SideFacts;
  exclude: readonly string[];
  /** Every file's content must be known, since the wanted tree is laid over this one. */
  whole: boolean;
  signal: AbortSignal;
}

/**
 * The contents of the instance's current tree. Where the listing still has the digest recorded when the tree was
 * placed, the stored manifest is the answer and nothing is read on the host. Otherwise somebody changed it: the listing
 * comes, and what differs does not count (`whole`: is hashed on the host).
 */
export async function findBase(query: BaseQuery): Promise<Manifest> {
  const { side, store } = query;
  if (side.real === undefined) return EMPTY;
  const recorded =
    side.meta?.manifest !== undefined && (await store.manifests.has(side.meta.manifest))
      ? await store.manifests.load(side.meta.manifest)
      : undefined;
  if (recorded !== undefined && side.listing !== undefined && side.listing === side.meta?.listing) return recorded;
  if (query.whole) return hashTree(query.transport, side.real, query.exclude, query.signal);
  if (recorded === undefined) return EMPTY;
  const { entries } = await listTree(query.transport, side.real, query.exclude, false, query.signal);
  return unchangedPart(recorded, entries);
}

/** Lists a tree on a host together with the SHA-256 of every file. */
export async function hashTree(
  transport: Transport,
  directory: string,
  exclude: readonly string[],
  signal: AbortSignal,
): Promise<Manifest> {
  const { entries, digests } = await listTree(transport, directory, exclude, true, signal);
  return manifestOf(entries, digests);
}

async function listTree(
  transport: Transport,
  directory: string,
  exclude: readonly string[],
  hash: boolean,
  signal: AbortSignal,
): Promise<{ entries: ListedEntry[]; digests: Map<string, string> }> {
  const args = [directory, hash ? 'yes' : 'no', ...findExclusions(exclude)];
  const result = await transport.run(scripts.listTree, args, {
    signal,
    timeoutMs: HASH_TIMEOUT_MS,
    maxOutputBytes: MAX_LISTING_BYTES,
  });
  return parseListing(result.stdout);
}
