import type { BlobStore } from './blobs.js';
import type { ManifestStore } from './manifests.js';
import type { PackageStore } from './packages.js';

/** Whatever is younger may belong to something that is just being taken in. */
const GRACE_MS = 60 * 60 * 1000;

/** What a collection took away; `bytes` counts contents only. */
export interface Collected {
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Removes manifests that no package record names, and contents that no remaining manifest names.
 * @param extraManifestIds manifests that something else needs: releases that may be rolled back to, running deployments
 * @param graceMs milliseconds for which anything is kept after it was last stored
 */
export async function collectGarbage(
  { blobs, manifests, packages }: { blobs: BlobStore; manifests: ManifestStore; packages: PackageStore },
  extraManifestIds: readonly string[],
  graceMs: number = GRACE_MS,
): Promise<Collected> {
  const before = new Date(Date.now() - graceMs);
  const wanted = new Set([...extraManifestIds, ...(await packages.all()).map((record) => record.manifest)]);
  const surplus: string[] = [];
  const usedBlobs = new Set<string>();
  for (const id of await manifests.ids()) {
    const modifiedAt = await manifests.modifiedAt(id);
    if (modifiedAt !== undefined && !wanted.has(id) && modifiedAt < before) surplus.push(id);
    else for (const { sha256 } of (await manifests.load(id)).entries) if (sha256 !== undefined) usedBlobs.add(sha256);
  }
  // Manifests go first: one whose contents are gone must not be found.
  for (const id of surplus) await manifests.remove(id);
  const swept = await blobs.sweep(usedBlobs, before);
  return { manifests: surplus.length, blobs: swept.removed, bytes: swept.bytes };
}
