import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test as base } from 'vitest';
import { FolderBlobStore } from '../blobs.js';

const execute = promisify(execFile);

/** Runs a program; throws with its stderr when it does not exit 0. */
export async function run(program: string, ...args: string[]): Promise<string> {
  return (await execute(program, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** All files below a folder, relative and sorted. */
export async function filesBelow(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

/** Tests with a folder of their own and a blob store in it. */
export const test = base.extend<{ dir: string; blobs: FolderBlobStore }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures that are needed from the pattern
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'rex-store-'));
    await use(dir);
    await rm(dir, { recursive: true, force: true });
  },
  blobs: async ({ dir }, use) => {
    await use(await FolderBlobStore.open(join(dir, 'blobs')));
  },
});
