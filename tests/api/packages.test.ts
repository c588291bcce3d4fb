import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import { expect } from 'vitest';
import { type ApiUnderTest, multipart } from './api-under-test.js';
import { at, rollOut, take } from './fake-worker.js';
import { test } from './fixtures.js';

test('an upload is stored, told back, and deployed when nothing else is asked for', async ({ start }) => {
  const api = await start();
  const file = await archive(api);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const stored = await upload(api, file, { k: 'server', sha256 });
  expect(stored.status, stored.text).toBe(200);
  expect(stored.body.data).toMatchObject({ package: expect.stringMatching(/^pkg-/), files: '2', size: '11', sha256 });
  expect(stored.body.param).toMatchObject({ k: 'server', sha256 });
  expect(await api.leftovers()).toEqual([]);

  const listed = (await api.call('/packages?k=server')).body.data.data;
  expect(listed).toMatchObject({ 0: { package: stored.body.data.package, kind: 'program', instance: {} } });

  const { status, body } = await api.rex({ action: 'deploy', k: 'server', full: '2' });
  expect(status).toBe(202);
  const { state } = await take(api, body.job?.id ?? '');
  expect(state.request).toMatchObject({ full: '2', source: { kind: 'package', package: stored.body.data.package } });
});

test('fields may come after the file', async ({ start }) => {
  const api = await start();
  const file = { name: 'file', value: await archive(api), filename: 'app.tar.gz' };
  const form = multipart([file, { name: 'k', value: 'server' }, { name: 'kind', value: 'program' }]);
  const answer = await api.call('/packages', { method: 'POST', ...form });
  expect(answer.status, answer.text).toBe(200);
});

test('a configuration belongs to its instance, and is what is deployed where there is no program', async ({
  start,
}) => {
  const api = await start();
  const stored = await upload(api, await archive(api), { k: 'server', kind: 'config', instance: 'server2' });
  expect(stored.status, stored.text).toBe(200);
  const { body } = await api.rex({ action: 'deploy', k: 'server2' });
  const { state } = await take(api, body.job?.id ?? '');
  expect(state.request.source).toEqual({ kind: 'package', package: stored.body.data.package });
});

test('of each kind the newest uploads are kept', async ({ start }) => {
  const api = await start({ keep: 2 });
  const file = await archive(api);
  const ids: unknown[] = [];
  for (let i = 0; i < 4; i += 1) ids.unshift((await upload(api, file, { k: 'server' })).body.data.package);
  await upload(api, file, { k: 'shop' });
  const listed = (await api.call('/packages?k=server')).body.data.data;
  expect(Object.values(listed).map((row) => at(row as object, 'package'))).toEqual(ids.slice(0, 2));
  expect(Object.keys((await api.call('/packages')).body.data.data)).toHaveLength(3);
});

test('a package that a deployment waits for outlives any number of newer ones, until it has ended', async ({
  start,
}) => {
  const api = await start({ keep: 1 });
  const file = await archive(api);
  const wanted = String((await upload(api, file, { k: 'server' })).body.data.package);
  const { body } = await api.rex({ action: 'deploy', k: 'server' });
  const kept = async () =>
    Object.values((await api.call('/packages?k=server')).body.data.data).map((row) => at(row as object, 'package'));
  for (let i = 0; i < 2; i += 1) await upload(api, file, { k: 'server' });
  expect(await kept()).toContain(wanted);
  await rollOut(api, body.job?.id ?? '');
  await upload(api, file, { k: 'server' });
  expect(await kept()).toHaveLength(1);
});

test('names tell their instances and who holds them; the table of one tells what is true of each', async ({
  start,
}) => {
  const api = await start();
  const before = (await api.call('/names/server')).body.data;
  expect(before).toMatchObject({ lock: {}, data: { 0: { instance: 'server1', host: '192.0.2.1' } } });
  expect(at(before, 'data', '0', 'should_run')).toEqual({});

  const id = (await api.rex({ action: 'deploy', k: 'server', senv: 'uat' })).body.job?.id ?? '';
  const held = (await api.call('/names/server')).body.data;
  expect(held.lock).toMatchObject({ owner: id, state: 'queued' });
  const names = (await api.call('/names')).body.data.data;
  expect(names).toMatchObject({
    0: {
      k: 'server',
      desc: 'the server',
      batches: { 0: 'server1', 1: 'server2' },
      instances: { 0: { instance: 'server1', host: '192.0.2.1' } },
      lock: { owner: id },
      last_deployment: { id, state: 'queued' },
    },
    1: { k: 'shop', lock: {}, last_deployment: {} },
  });

  await rollOut(api, id);
  const after = (await api.call('/names/server')).body.data;
  expect(after.lock).toEqual({});
  expect(at(after, 'data', '0')).toEqual({
    instance: 'server1',
    host: '192.0.2.1',
    should_run: '/data/www/server1_new',
    linked: '/data/www/server1_new',
    answering: '/data/www/server1_new',
    in_rotation: '1',
    former: '/data/www/server1_20180521_043510',
    last_deployment: id,
    last_state: 'succeeded',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

function upload(api: ApiUnderTest, file: Buffer, fields: Record<string, string>) {
  const parts = Object.entries(fields).map(([name, value]) => ({ name, value }));
  const form = multipart([...parts, { name: 'file', value: file, filename: 'app.tar.gz' }]);
  return api.call('/packages', { method: 'POST', ...form });
}

async function archive(api: ApiUnderTest): Promise<Buffer> {
  const tree = join(api.dir, 'tree');
  await mkdir(join(tree, 'sub'), { recursive: true });
  await writeFile(join(tree, 'hello.txt'), 'hello');
  await writeFile(join(tree, 'sub', 'world.txt'), 'world!');
  await tarGz(tree, join(api.dir, 'tree.tar.gz'));
  return readFile(join(api.dir, 'tree.tar.gz'));
}
