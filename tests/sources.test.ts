import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tar, tarGz, zip } from '@rexdeploy/sandbox/archives';
import { EVIL_TARS, evilTar } from '@rexdeploy/sandbox/evil-archives';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { at } from './support/client.js';
import { type Stand, standForAll, test } from './support/stand.js';

const folder = mkdtempSync(join(tmpdir(), 'rex-sources-'));
const archive = (name: string): string => join(folder, name);
let web: Server;
let origin = '';

/** A small package: a new version, a script, a link inside the tree. */
function writePackage(dir: string, version: string): void {
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'version.txt'), `${version}\n`);
  writeFileSync(join(dir, 'bin/run.sh'), '#!/bin/sh\necho run\n', { mode: 0o750 });
  symlinkSync('run.sh', join(dir, 'bin/alias'));
}

/** The same in three kinds of archive, told apart by their version. */
const ARCHIVES = [
  ['v3', 'program.tar', tar],
  ['v4', 'program.tar.gz', tarGz],
  ['v5', 'program.zip', zip],
] as const;

beforeAll(async () => {
  for (const [version, file, pack] of ARCHIVES) {
    writePackage(join(folder, version), version);
    await pack(join(folder, version), archive(file));
  }
  writeFileSync(archive('page.html'), '<html>no archive</html>');
  writeFileSync(archive('truncated.tar.gz'), readFileSync(archive('program.tar.gz')).subarray(0, 120));
  web = createServer((incoming, answer) => {
    const path = (incoming.url ?? '').slice(1);
    if (path === 'elsewhere') return answer.writeHead(302, { location: 'http://localhost:9/x.tar' }).end();
    if (path === 'moved?X-Amz-Signature=0f9e8d7c&v=1')
      return answer.writeHead(302, { location: '/program.tar.gz' }).end();
    if (path.startsWith('missing')) return answer.writeHead(404).end('404 Not Found');
    return answer.end(readFileSync(archive(path)));
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => web.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const apps = standForAll({ config: { packages: { allow_hosts: ['127.0.0.1'], max_bytes: '64KiB' } } });
/** Files without apps. */
const files = standForAll({ fleet: { app: false, balancer: 'none' } });

async function fileOn({ fleet }: Stand, key: string, path: string): Promise<string> {
  const { programDir } = fleet.instance(key);
  return (await fleet.hostOf(key).ssh(`cat '${programDir}/${path}' 2>&1`)).stdout.trim();
}

describe('a package from an address', () => {
  test('what only fetching can tell fails the deployment before any host is touched', async () => {
    const stand = apps();
    writeFileSync(archive('large.tar'), Buffer.alloc(128 * 1024));
    const digest = 'a'.repeat(64);
    const actual = createHash('sha256')
      .update(readFileSync(archive('program.tar.gz')))
      .digest('hex');
    const cases: [Record<string, string>, RegExp][] = [
      [{ url: `${origin}/missing` }, /missing: answered with status 404/],
      [{ url: `${origin}/elsewhere` }, /redirects to http:\/\/localhost:9, which packages\.allow_hosts does not allow/],
      [{ url: `${origin}/page.html` }, /page\.html: .*not an archive/],
      [{ url: `${origin}/truncated.tar.gz` }, /truncated\.tar\.gz: .*(cut off|ends|truncated|damaged)/],
      [{ url: `${origin}/large.tar` }, /large\.tar: .*larger than 64K/],
      [
        { url: `${origin}/program.tar.gz`, sha256: digest },
        new RegExp(`${digest}[\\s\\S]*${actual}|${actual}[\\s\\S]*${digest}`),
      ],
    ];
    for (const [params, message] of cases) {
      const { status, body } = await stand.client.deploy({ k: 'server', ...params });
      expect(status).toBe(200);
      expect(body.code, JSON.stringify(params)).toBe('-1');
      expect(body.msg).toMatch(message);
      expect(body.data.data).toEqual({});
    }
    const seen = await stand.fleet.instance('server1').observe();
    expect(seen).toMatchObject({ version: 'v1' });
    const listing = await stand.fleet
      .hostOf('server1')
      .ssh(`ls -A ${stand.fleet.instance('server1').hostDir}/data/www`);
    expect(listing.stdout).not.toContain('.rexdeploy');
  });

  for (const [version, file] of ARCHIVES) {
    test(`${file} is laid over the current release, with modes and links as they were packed`, async () => {
      const stand = apps();
      const { body } = await stand.client.deploy({ k: 'server', url: `${origin}/${file}` });
      expect(body).toMatchObject({ code: '0' });
      for (const { key, programDir } of stand.fleet.instances) {
        expect((await stand.fleet.instance(key).observe()).version).toBe(version);
        const seen = await stand.fleet
          .hostOf(key)
          .ssh(`cd ${programDir} && stat -c %a bin/run.sh && readlink bin/alias && bin/alias && ls server.js`);
        expect(seen.stdout.trim().split('\n')).toEqual(['750', 'run.sh', 'run', 'server.js']);
      }
    });
  }

  test('a redirect inside the allowed hosts is followed; a signature is used, and shown and stored to nobody', async () => {
    const stand = apps();
    const signed = `${origin}/moved?X-Amz-Signature=0f9e8d7c&v=1`;
    const { body } = await stand.client.deploy({ k: 'server1', url: signed });
    expect(body.code).toBe('0');
    expect(body.param).toMatchObject({ url: `${origin}/moved?X-Amz-Signature=…&v=1` });
    expect(await fileOn(stand, 'server1', 'version.txt')).toBe('v4');
    const refused = await stand.client.deploy({ k: 'server1', url: signed.replace('moved', 'missing') });
    expect(refused.body.msg).toContain('/missing?X-Amz-Signature=…&v=1: answered with status 404');
    const redis = new Redis(stand.redis.url);
    const keys = await redis.keys('rex:dep*');
    const kept = await Promise.all(keys.map(async (key) => (await redis.dump(key)) ?? ''));
    redis.disconnect();
    expect(keys.length).toBeGreaterThan(4);
    expect(kept.join('')).not.toContain('0f9e8d7c');
    expect(JSON.stringify([body, refused.body])).not.toContain('0f9e8d7c');
  });
});

describe('an uploaded package', () => {
  test('every archive that reaches out of its tree is refused with the entry named, and leaves nothing', async () => {
    const { client } = files();
    for (const kind of EVIL_TARS) {
      const file = archive(`${kind}.tar`);
      await evilTar(file, kind);
      const answer = await client.upload({ k: 'server' }, file);
      expect(answer.status, kind).toBe(400);
      expect(answer.body.code).toBe('-1');
    }
    const kept = await client.get('/packages?k=server');
    expect(kept.body.data.data).toEqual({});
  });

  test('full=1 lays it over the current release, full=2 replaces the release by it', async () => {
    const stand = files();
    const { client } = stand;
    const uploaded = await client.upload({ k: 'server' }, archive('program.tar.gz'));
    expect(uploaded.status).toBe(200);
    expect(uploaded.id).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(uploaded.body.data).toMatchObject({ files: '2', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });

    expect((await client.deploy({ k: 'server', package: uploaded.id })).body.code).toBe('0');
    expect(await fileOn(stand, 'server1', 'version.txt')).toBe('v4');
    expect(await fileOn(stand, 'server1', 'server.js')).not.toContain('No such file');

    expect((await client.deploy({ k: 'server', package: uploaded.id, full: '2' })).body.code).toBe('0');
    expect(await fileOn(stand, 'server2', 'version.txt')).toBe('v4');
    expect(await fileOn(stand, 'server2', 'server.js')).toContain('No such file');
  });

  test('without senv, url and package the newest upload for the name is used', async () => {
    const stand = files();
    await stand.client.upload({ k: 'server' }, archive('program.tar'));
    writePackage(join(folder, 'newer'), 'v6');
    await zip(join(folder, 'newer'), archive('newer.zip'));
    await stand.client.upload({ k: 'server' }, archive('newer.zip'));
    expect((await stand.client.deploy({ k: 'server' })).body.code).toBe('0');
    expect(await fileOn(stand, 'server1', 'version.txt')).toBe('v6');
  });
});

describe('configuration', () => {
  test('is kept by every deployment, until a config package is uploaded for the instance', async () => {
    const stand = files();
    const { client, fleet } = stand;
    const { configDir } = fleet.instance('server1');
    const read = async (key: string): Promise<string> => {
      const dir = fleet.instance(key).configDir;
      return (await fleet.hostOf(key).ssh(`cat ${dir}/extra.ini 2>&1; ls ${dir}`)).stdout;
    };
    await fleet.hostOf('server1').ssh(`echo by-hand=1 > ${configDir}/extra.ini`);
    await client.deploy({ k: 'server', senv: 'uat' });
    expect(await read('server1')).toBe('by-hand=1\napp.json\nconf.d\nextra.ini\n');

    mkdirSync(join(folder, 'config'), { recursive: true });
    writeFileSync(join(folder, 'config/extra.ini'), 'uploaded=1\n');
    await tarGz(join(folder, 'config'), archive('config.tar.gz'));
    const uploaded = await client.upload(
      { k: 'server', kind: 'config', instance: 'server1' },
      archive('config.tar.gz'),
    );
    expect(uploaded.status).toBe(200);
    await client.deploy({ k: 'server', senv: 'uat' });
    expect(await read('server1')).toBe('uploaded=1\napp.json\nconf.d\nextra.ini\n');
    expect(await read('server2')).not.toContain('uploaded');

    // Deployed once, it is the instance's own: what is changed by hand later is kept again.
    await fleet.hostOf('server1').ssh(`echo by-hand=2 > ${configDir}/extra.ini`);
    const { body } = await client.deploy({ k: 'server', senv: 'uat' });
    expect(body.code).toBe('0');
    expect(await read('server1')).toBe('by-hand=2\napp.json\nconf.d\nextra.ini\n');
  });
});

describe('the first deployment', () => {
  test('onto plain directories moves them aside and records them as the former release', async ({ start }) => {
    const stand = await start({ fleet: { firstDeployment: 'plain' } });
    const { body } = await stand.client.deploy({ k: 'server', senv: 'uat' });
    expect(body.code).toBe('0');
    const record = at(body, 'data', 'data', '0', 'data', '0');
    const { programDir } = stand.fleet.instance('server1');
    const after = String(at(record, 'deloy_prodir_after'));
    expect(at(record, 'deloy_prodir_before')).toBe(`${after}_before`);
    const former = await stand.fleet.hostOf('server1').ssh(`cat ${after}_before/version.txt; readlink ${programDir}`);
    expect(former.stdout).toBe(`v1\n${after}\n`);
    expect((await stand.fleet.instance('server1').observe()).version).toBe('v2');
  });

  test('onto nothing at all makes the directories; what was not there before is {}', async ({ start }) => {
    const stand = await start({ fleet: { firstDeployment: 'nothing' } });
    for (const { key } of stand.fleet.instances) {
      mkdirSync(join(folder, key), { recursive: true });
      writeFileSync(join(folder, key, 'app.json'), JSON.stringify({ instance: key }));
      await tarGz(join(folder, key), archive(`${key}.tar.gz`));
      await stand.client.upload({ k: 'server', kind: 'config', instance: key }, archive(`${key}.tar.gz`));
    }
    const { body } = await stand.client.deploy({ k: 'server', senv: 'uat' });
    expect(body.msg).toBeUndefined();
    expect(at(body, 'data', 'data', '0', 'data', '0')).toMatchObject({
      deloy_prodir_before: {},
      deloy_configdir_before: {},
      processNumber: '2',
    });
    expect((await stand.fleet.instance('server2').observe()).version).toBe('v2');
  });

  test('onto plain directories, when it fails, puts them back as they were', async ({ start }) => {
    const stand = await start({
      fleet: { firstDeployment: 'plain' },
      config: { environments: { prod: { names: { server: { exclude: ['server.js'] } } } } },
    });
    // Without its main file the program cannot start.
    const { body } = await stand.client.deploy({ k: 'server', senv: 'uat', full: '2' });
    expect(body.code).toBe('-1');
    const { programDir } = stand.fleet.instance('server1');
    const seen = await stand.fleet
      .hostOf('server1')
      .ssh(`test -L ${programDir} || cat ${programDir}/version.txt; ls -d ${programDir}_*`);
    expect(seen.stdout).toBe('v1\n');
    expect((await stand.fleet.instance('server1').observe()).version).toBe('v1');
  });
});
