import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { describe, expect, onTestFinished } from 'vitest';
import { at } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { type Stand, type StandOptions, test } from './support/stand.js';

/** Configurations in `etc/conf` of the programs; `is_deloy_dir` as text, as it comes from a variable. */
async function startMerged(start: (options?: StandOptions) => Promise<Stand>): Promise<Stand> {
  const stand = await start({ workers: 0 });
  const { fleet } = stand;
  const merged = (dir: string): JsonObject => ({ program_dir: dir, config_dir: `${dir}/etc/conf`, is_deloy_dir: '1' });
  const own = fleet.instances.map(({ key, programDir }) => [key, merged(programDir)] as const);
  const uatDir = fleet.uatDirs.get('server')?.programDir ?? '';
  const names = (instances: JsonObject): JsonObject => ({ names: { server: { instances } } });
  const prod = names(Object.fromEntries(own));
  fleet.writeConfig({ environments: { prod, uat: names({ server1: merged(uatDir) }) } });
  await Promise.all([
    ...fleet.instances.map(({ key, programDir }) => writeConf(stand, key, programDir)),
    fleet.uat.ssh(
      `mkdir -p ${uatDir}/etc/conf && cd ${uatDir}/etc && echo uat > conf/a && echo uat > conf/u && echo 2 > own`,
    ),
  ]);
  await stand.addWorker();
  return stand;
}

const writeConf = ({ fleet }: Stand, key: string, dir: string) =>
  fleet.hostOf(key).ssh(`mkdir -p ${dir}/etc/conf && cd ${dir}/etc/conf && echo ${key} > a && echo ${key} > 'b c'`);

/** Every file below `etc` of an instance's release, with its content. */
async function etcOf({ fleet }: Stand, key: string): Promise<string[]> {
  const { programDir } = fleet.instance(key);
  const { stdout } = await fleet
    .hostOf(key)
    .ssh(
      `cd ${programDir}/etc && find . -type f -printf '%P\\n' | sort | while read -r f; do echo "$f $(cat "$f")"; done`,
    );
  return stdout.trim().split('\n');
}

async function pack(name: string, files: Record<string, string>): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'rex-layout-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, 'tree', path)), { recursive: true });
    writeFileSync(join(dir, 'tree', path), `${text}\n`);
  }
  await tarGz(join(dir, 'tree'), join(dir, name));
  return join(dir, name);
}

describe('a configuration inside of the program', () => {
  test('is kept from release to release, whatever the package has there; there is one tree and one link', async ({
    start,
  }) => {
    const stand = await startMerged(start);
    const { client, fleet } = stand;
    const { body } = await client.deploy({ k: 'server', senv: 'uat' });
    expect(body.msg).toBeUndefined();
    for (const { key } of fleet.instances) {
      expect(await etcOf(stand, key)).toEqual([`conf/a ${key}`, `conf/b c ${key}`, 'own 2']);
    }
    const { programDir } = fleet.instance('server1');
    expect(at(body, 'data', 'data', '0', 'data', '0')).toMatchObject({
      deloy_configdir_before: {},
      deloy_configdir_after: {},
      deloy_prodir_before: `${programDir}_20180521_043510`,
      deloy_size: expect.stringMatching(/^\S+ \S+html1_\d{8}_\d{6}$/),
    });
    const beside = readdirSync(dirname(programDir)).filter((name) => name.startsWith('config'));
    expect(beside.sort()).toEqual(['config1', 'config1_20180521_043510']);
    expect(await expectSound(stand)).toEqual(['v2', 'v2']);
    // What is there is what is wanted: nothing travels again.
    const again = await client.deploy({ k: 'server', senv: 'uat' });
    expect(again.body.job?.progress).toMatchObject({ bytes: '0', bytes_total: '0' });
  });

  test('an uploaded one is laid over once; a package that replaces all leaves it alone', async ({ start }) => {
    const stand = await startMerged(start);
    const { client } = stand;
    const conf = await pack('conf.tar.gz', { a: 'new', 'sub/d': 'new' });
    expect((await client.upload({ k: 'server', kind: 'config', instance: 'server1' }, conf)).status).toBe(200);
    expect((await client.deploy({ k: 'server', senv: 'uat' })).body.msg).toBeUndefined();
    const laid = ['conf/a new', 'conf/b c server1', 'conf/sub/d new'];
    expect(await etcOf(stand, 'server1')).toEqual([...laid, 'own 2']);
    expect(await etcOf(stand, 'server2')).toEqual(['conf/a server2', 'conf/b c server2', 'own 2']);

    // What was edited on the host since is not undone by the same upload.
    await writeConf(stand, 'server1', `${stand.fleet.instance('server1').programDir}/`);
    const edited = ['conf/a server1', 'conf/b c server1', 'conf/sub/d new'];
    expect((await client.deploy({ k: 'server', senv: 'uat', full: '2' })).body.msg).toBeUndefined();
    expect(await etcOf(stand, 'server1')).toEqual([...edited, 'own 2']);
    expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  });

  test('a package of its own brings what the instance lacks there, and changes nothing that it has', async ({
    start,
  }) => {
    const stand = await startMerged(start);
    const { client } = stand;
    const program = await pack('program.tar.gz', {
      'version.txt': 'v3',
      'etc/conf/a': 'shipped',
      'etc/conf/z': 'shipped',
    });
    const { id } = await client.upload({ k: 'server' }, program);
    expect((await client.deploy({ k: 'server', package: id })).body.msg).toBeUndefined();
    expect(await etcOf(stand, 'server2')).toEqual(['conf/a server2', 'conf/b c server2', 'conf/z shipped']);
    expect(await expectSound(stand)).toEqual(['v3', 'v3']);
  });
});

describe('the key is_deloy_dir', () => {
  const check = (instance: string, name = ''): string[] => {
    const text = `
env: { key: prod }
environments:
  prod:
    ssh: { private_key: key }
    names: { server: { ${name} instances: { server1: { host: h, program_dir: /srv/app, ${instance} } } } }
`;
    try {
      const found = parseConfig(text, '/etc/rex/config.yml', {}).own.names.get('server')?.instances.get('server1');
      return [`separate ${found?.configDir ?? '-'}`, `inside ${found?.configInside ?? '-'}`];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.map(({ path, expected }) => `${path.split('.').at(-1)}: ${expected}`);
    }
  };

  test.for([
    ['config_dir: /srv/conf', ['separate /srv/conf', 'inside -']],
    ['config_dir: /srv/conf, is_deloy_dir: 2', ['separate /srv/conf', 'inside -']],
    ['config_dir: /srv/app/etc/conf, is_deloy_dir: 1', ['separate -', 'inside etc/conf']],
    ['config_dir: /srv/app/conf, is_deloy_dir: "1"', ['separate -', 'inside conf']],
    ['config_dir: /srv/app2, is_deloy_dir: 1', ['config_dir: a directory inside /srv/app, because is_deloy_dir is 1']],
    ['is_deloy_dir: 1', ['config_dir: a directory inside /srv/app, because is_deloy_dir is 1']],
    ['config_dir: /srv/app/conf, is_deloy_dir: 2', ['config_dir: a directory outside of /srv/app']],
    ['is_deloy_dir: 3', ['is_deloy_dir: at most 2']],
  ] as const)('%s', ([instance, expected]) => {
    expect(check(instance)).toEqual(expected);
  });

  test('what is shared may lie in it, and not the other way round', () => {
    const merged = 'config_dir: /srv/app/etc/conf, is_deloy_dir: 1';
    expect(check(merged, 'shared: [etc/conf/keys, etc/con],')).toEqual(['separate -', 'inside etc/conf']);
    for (const entry of ['etc', 'etc/conf']) {
      expect(check(merged, `shared: [${entry}],`)).toEqual(['config_dir: a directory outside of what is shared']);
    }
  });
});
