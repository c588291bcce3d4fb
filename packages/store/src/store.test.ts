import { createHash } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect } from 'vitest';
import { collectGarbage } from './garbage.js';
import { manifestId } from './manifest.js';
import { ManifestStore } from './manifests.js';
import { openStore, type Store } from './store.js';
import { pathsOf } from './testing/entries.js';
import { test as base, filesBelow } from './testing/scratch.js';
import { tarOf } from './testing/tars.js';

const test = base.extend<{ store: Store }>({
  store: async ({ dir }, use) => use(await openStore(dir, { maxBytes: 10_000_000 })),
});

async function take(store: Store, content: string): Promise<string> {
  const { file } = await store.receive(
    Readable.from([await tarOf({ name: 'a', body: content }, { name: 'b', body: 'b' })]),
  );
  return (await store.ingest(file)).manifest;
}

describe('the store', () => {
  test('receives an archive, unpacks it and finds its tree again', async ({ dir, store }) => {
    const archive = await tarOf({ name: 'd/a', body: '12345' }, { name: 'b', body: '1' });
    const received = await store.receive(Readable.from([archive]));
    expect(received).toMatchObject({
      size: archive.length,
      sha256: createHash('sha256').update(archive).digest('hex'),
    });
    expect(await readdir(join(dir, 'incoming'))).toHaveLength(1);
    const { manifest: id, ...tree } = await store.ingest(received.file);
    expect(tree).toEqual({ format: 'tar', files: 2, size: 6 });
    const manifest = await store.manifests.load(id);
    expect(manifestId(manifest)).toBe(id);
    expect(pathsOf(manifest)).toEqual(['b', 'd/', 'd/a']);
  });

  test('keeps no manifest of a refused archive', async ({ dir, store }) => {
    await writeFile(join(dir, 'x'), await tarOf({ name: 'good', body: 'x' }, { name: '../x', body: 'x' }));
    await expect(store.ingest(join(dir, 'x'))).rejects.toMatchObject({ where: '../x' });
    expect(await store.manifests.ids()).toEqual([]);
  });

  test('tells an unknown manifest from a damaged one', async ({ dir, store }) => {
    const id = await take(store, 'a');
    await expect(store.manifests.load('0'.repeat(64))).rejects.toThrowError('no manifest of this id');
    await expect(store.manifests.load('../x')).rejects.toThrowError('not a manifest id');
    const file = join(dir, 'manifests', `${id}.ndjson`);
    await writeFile(file, (await readFile(file, 'utf8')).replace('"size":1', '"size":2'));
    const another = new ManifestStore(join(dir, 'manifests'), dir);
    await expect(another.load(id)).rejects.toThrowError('damaged');
    await another.save(await store.manifests.load(id));
    expect((await new ManifestStore(join(dir, 'manifests'), dir).load(id)).entries).toHaveLength(2);
  });

  test('clears away uploads of dead processes when it is opened', async ({ dir, store }) => {
    const { file } = await store.receive(Readable.from(['mine']));
    await writeFile(file.replace(`~${process.pid}~`, '~4194305~'), 'left');
    await openStore(dir, { maxBytes: 1 });
    expect(await filesBelow(join(dir, 'incoming'))).toEqual([file.slice(join(dir, 'incoming/').length)]);
  });
});

describe('collecting garbage', () => {
  test('keeps what packages and running deployments need, and frees the rest', async ({ dir, store }) => {
    const ids = [await take(store, 'in a package'), await take(store, 'in a deployment'), await take(store, 'in none')];
    const [inPackage = '', inDeployment = '', inNone = ''] = ids;
    const { k, ...rest } = { k: 'server', kind: 'program', sha256: inNone, files: 2, size: 2, by: 'ci' } as const;
    await store.packages.save({ ...rest, k, id: 'pkg-1', manifest: inPackage, createdAt: new Date().toISOString() });

    expect(await store.collectGarbage([])).toEqual({ manifests: 0, blobs: 0, bytes: 0 });
    await ageAll(dir);
    expect(await store.collectGarbage([inDeployment])).toEqual({ manifests: 1, blobs: 1, bytes: 'in none'.length });
    for (const id of [inPackage, inDeployment]) {
      for (const { sha256 } of (await store.manifests.load(id)).entries) {
        if (sha256 !== undefined) expect(await store.blobs.has(sha256)).toBe(true);
      }
    }
    expect(await store.collectGarbage([])).toEqual({ manifests: 1, blobs: 1, bytes: 'in a deployment'.length });
  });

  test('spares old content that was just taken in again', async ({ dir, store }) => {
    await take(store, 'again');
    await ageAll(dir);
    await take(store, 'again');
    expect(await store.collectGarbage([])).toEqual({ manifests: 0, blobs: 0, bytes: 0 });
  });

  test('does nothing in an empty store', async ({ store }) => {
    expect(await collectGarbage(store, [], 0)).toEqual({ manifests: 0, blobs: 0, bytes: 0 });
  });

  async function ageAll(dir: string): Promise<void> {
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const file of await filesBelow(dir)) await utimes(join(dir, file), old, old);
  }
});
