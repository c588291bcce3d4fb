import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { BlobStore } from '../blobs.js';
import { run, test } from '../testing/scratch.js';
import { tarStream } from '../tree.js';
import { ingestArchive } from './ingest.js';

const MIB = 1024 * 1024;
const CONTENT_BYTES = 300 * MIB;
/**
 * Room for buffers and for what the garbage collector has not looked at yet. Seen: 11 to 40 MiB; 38 MiB for 4 GiB.
 */
const GROWTH_LIMIT_BYTES = 150 * MIB;

async function peakGrowth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak - before;
}

async function archiveOfZeros(dir: string, kind: string): Promise<string> {
  await writeFile(join(dir, 'zeros'), '');
  await truncate(join(dir, 'zeros'), CONTENT_BYTES);
  const file = join(dir, `x.${kind}`);
  if (kind === 'zip') await run('zip', '-qj1', file, join(dir, 'zeros'));
  else await run('tar', '-C', dir, kind === 'tar' ? '-cf' : '-czf', file, 'zeros');
  return file;
}

async function drain(entries: Parameters<typeof tarStream>[0], blobs: BlobStore): Promise<void> {
  for await (const _ of tarStream(entries, blobs));
}

test.for(['tar', 'tar.gz', 'zip'])(
  '300 MiB in a %s need no more memory than little',
  { timeout: 60_000 },
  async (kind, { dir, blobs }) => {
    const file = await archiveOfZeros(dir, kind);
    const growth = await peakGrowth(async () => {
      const { manifest } = await ingestArchive(file, blobs, { maxBytes: CONTENT_BYTES });
      await drain(manifest.entries, blobs);
    });
    expect(growth).toBeLessThan(GROWTH_LIMIT_BYTES);
  },
);
