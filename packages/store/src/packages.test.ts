import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type PackageRecord, PackageStore } from './packages.js';
import { test as base, filesBelow } from './testing/scratch.js';

const test = base.extend<{ packages: PackageStore }>({
  packages: async ({ dir }, use) => {
    await mkdir(join(dir, 'tmp'));
    await use(new PackageStore(join(dir, 'packages'), join(dir, 'tmp')));
  },
});

const record = (number: number, more: Partial<PackageRecord> = {}): PackageRecord => ({
  id: `pkg-01J000000000000000000000${String(number).padStart(2, '0')}`,
  k: 'server',
  kind: 'program',
  manifest: 'a'.repeat(64),
  sha256: 'b'.repeat(64),
  files: 3,
  size: 1234,
  createdAt: '2026-01-02T03:04:05.000Z',
  by: 'ci',
  ...more,
});

describe('package records', () => {
  test('are found by id, whatever their name', async ({ packages }) => {
    const config = record(2, { k: 'shop', kind: 'config', instance: 'shop1' });
    await packages.save(record(1));
    await packages.save(config);
    expect(await packages.get(record(1).id)).toEqual(record(1));
    expect(await packages.get(config.id)).toEqual(config);
  });

  test.for(['pkg-unknown', '', '../../x', 'pkg-../x'])('there is none of id %j', async (id, { packages }) => {
    expect(await packages.get(id)).toBeUndefined();
    await packages.save(record(1));
    expect(await packages.get(id)).toBeUndefined();
  });

  test('are listed newest first, by name', async ({ packages }) => {
    for (const number of [2, 10, 1]) await packages.save(record(number));
    await packages.save(record(11, { k: 'other' }));
    expect((await packages.list('server')).map(({ id }) => id)).toEqual([10, 2, 1].map((number) => record(number).id));
    expect(await packages.list('nothing')).toEqual([]);
  });

  test('the newest is found by kind and instance', async ({ packages }) => {
    await packages.save(record(1));
    await packages.save(record(2, { kind: 'config', instance: 'server1' }));
    await packages.save(record(3, { kind: 'config', instance: 'server2' }));
    expect((await packages.newest('server', 'program'))?.id).toBe(record(1).id);
    expect((await packages.newest('server', 'config', 'server1'))?.id).toBe(record(2).id);
    expect(await packages.newest('server', 'config', 'server3')).toBeUndefined();
  });

  test('pruning keeps the newest of each kind and instance', async ({ packages }) => {
    for (const number of [1, 2, 3]) await packages.save(record(number));
    for (const number of [4, 5]) await packages.save(record(number, { kind: 'config', instance: 'server1' }));
    await packages.save(record(6, { kind: 'config', instance: 'server2' }));
    const removed = await packages.prune('server', 1);
    expect(removed.map(({ id }) => id)).toEqual([4, 2, 1].map((number) => record(number).id));
    expect((await packages.list('server')).map(({ id }) => id)).toEqual([6, 5, 3].map((number) => record(number).id));
  });

  test.for(['', '.', '..', 'a/b', '../x', 'a b', 'a\n'])('%j is no name', async (k, { dir, packages }) => {
    await expect(packages.save(record(1, { k }))).rejects.toMatchObject({ code: 'package' });
    await expect(packages.save(record(1, { instance: k }))).rejects.toMatchObject({ code: 'package' });
    await expect(packages.list(k)).rejects.toMatchObject({ code: 'package' });
    expect(await filesBelow(dir)).toEqual([]);
  });

  test.for([
    ['no JSON', '{"id":'],
    ['an unknown key', JSON.stringify({ ...record(1), extra: 1 })],
    ['another kind', JSON.stringify({ ...record(1), kind: 'image' })],
    ['nothing', ''],
  ])('a damaged one with %s is named', async ([, content = ''], { dir, packages }) => {
    await packages.save(record(1));
    await writeFile(join(dir, 'packages/server', `${record(1).id}.json`), content);
    await expect(packages.list('server')).rejects.toMatchObject({ code: 'package', where: record(1).id });
  });
});
