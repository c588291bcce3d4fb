import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { describe, expect, onTestFinished } from 'vitest';
import { at } from './support/client.js';
import { type Stand, type StandOptions, standForAll, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };
const FORMER = '20180521_043510';

const withName = (server: JsonObject): StandOptions => ({
  config: { environments: { prod: { names: { server } } } },
});

/** Fails where the new release is meant. */
const UNLICENSED = 'grep -q v1 "$REX_RELEASE/version.txt" || { seq 1000 1999; echo no licence >&2; exit 3; }';
const HOOKS = ['before_stop', 'after_switch', 'after_start'] as const;
const SHARED = ['logs', 'uploads', 'var/data', 'notes.txt'];
/** What the hooks of the first name write into. */
let told = '';
/** One fleet for most of it, with a name for each configuration. */
const standing = standForAll({
  fleet: { names: 6 },
  config: ({ dir }) => {
    told = join(dir, 'told');
    const hook = (name: string) => `
      www=$(dirname "$REX_RELEASE")
      link=$(basename "$(readlink -f "$www/html$(printf %s "$REX_INSTANCE" | tail -c 1)")")
      [ -f "$www/../../var/run/$REX_INSTANCE.pid" ] && runs=yes || runs=no
      echo "${name} $REX_INSTANCE $REX_HOST $(cat "$REX_RELEASE/version.txt") $link $runs" >> ${told}
      sleep 600 &`;
    const [before_stop, after_switch, after_start] = HOOKS;
    const names = {
      server: { hooks: Object.fromEntries(HOOKS.map((name) => [name, hook(name)])) },
      app2: { hooks: { [before_stop]: UNLICENSED } },
      app3: { hooks: { [after_switch]: UNLICENSED } },
      app4: { hooks: { [after_start]: UNLICENSED } },
      app5: { hooks: { after_switch: 'echo always broken; false' } },
      app6: { shared: SHARED },
    };
    return { environments: { prod: { names } } };
  },
});
/** The first instance of a name other than the first. */
const firstOf = (name: string): string => `${name}-1`;
const programOfUat = ({ fleet }: Stand, name = 'server'): string => fleet.uatDirs.get(name)?.programDir ?? '';

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rex-hooks-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function messages({ client }: Stand, id: string): Promise<string[]> {
  const found: string[] = [];
  for await (const event of client.events(id)) if (event.type === 'log') found.push(String(event.data.message));
  return found;
}

describe('hooks', () => {
  test('run in their places, with the facts of their instance, and what they leave open holds nothing up', async () => {
    const { client, fleet } = standing();
    const { body } = await client.deploy(DEPLOY);
    expect(body.msg).toBeUndefined();
    const own = fleet.instances.filter(({ name }) => name === 'server');
    const expected = own.flatMap(({ key, host, programDir }, index) => {
      const release = String(at(body, 'data', 'data', String(index), 'data', '0', 'deloy_prodir_after'))
        .split('/')
        .at(-1);
      const former = `${programDir.split('/').at(-1)}_${FORMER}`;
      return [
        `before_stop ${key} ${host} v2 ${former} yes`,
        `after_switch ${key} ${host} v2 ${release} no`,
        `after_start ${key} ${host} v2 ${release} yes`,
      ];
    });
    expect(readFileSync(told, 'utf8').trim().split('\n')).toEqual(expected);
  });

  test.for(HOOKS.map((hook, at) => [hook, `app${at + 2}`] as const))(
    'a failing %s fails the switch with the end of its output, and the instance is brought back',
    async ([hook, k]) => {
      const stand = standing();
      const key = firstOf(k);
      const { body } = await stand.client.deploy({ ...DEPLOY, k });
      expect(body.msg).toContain(`${key} failed at switch`);
      expect(body.msg).toMatch(
        new RegExp(`hook ${hook} failed: .*exit code 3; its last output:\n[\\s\\S]*1999\nno licence`),
      );
      expect(body.msg).not.toContain('1900');
      expect(body.msg).toContain(`${key} was brought back to its former release and weight; not touched: ${k}-2`);
      const instance = stand.fleet.instance(key);
      expect(await instance.observe()).toMatchObject({ version: 'v1', link: `${instance.programDir}_${FORMER}` });
      expect(stand.fleet.nginx?.upstream(k).every((line) => !line.down)).toBe(true);
      expect(await messages(stand, body.job?.id ?? '')).toEqual([]);
    },
  );

  test('one that always fails does not stand in the way of bringing back; the journal tells', async () => {
    const stand = standing();
    const { body } = await stand.client.deploy({ ...DEPLOY, k: 'app5' });
    expect(body.msg).toContain('app5-1 was brought back to its former release and weight');
    const [warning] = await messages(stand, body.job?.id ?? '');
    expect(warning).toContain('after_switch failed, the bring-back goes on');
    expect(warning).toContain('always broken');
    expect((await stand.fleet.instance('app5-1').observe()).version).toBe('v1');
  });
});

describe('shared', () => {
  const shared = SHARED;

  /** What the running release holds itself, as before the first deployment with `shared`. */
  async function fill({ fleet }: Stand, key = 'server1'): Promise<void> {
    await fleet.hostOf(key).ssh(
      `cd ${fleet.instance(key).programDir}/ && mkdir -p logs 'uploads/a b' && echo early > logs/app.log &&
       echo picture > 'uploads/a b/第 1.png' && chmod 750 uploads && ln -s 'a b' uploads/link && echo note > notes.txt`,
    );
  }
  const read = async ({ fleet }: Stand, path: string, key = 'server1'): Promise<string> =>
    (await fleet.hostOf(key).ssh(`cat '${fleet.instance(key).programDir}${path}'`)).stdout;

  test('the first deployment copies, also what came after staging; later ones and clean-up leave it alone', async ({
    start,
  }) => {
    // Writes as the app would between staging and its stop.
    const write =
      '[ "$REX_INSTANCE" = server2 ] || { cd "$(dirname "$REX_RELEASE")/html1/" && echo late >> logs/app.log && echo new > uploads/new; }';
    const stand = await start(withName({ shared, keep_releases: 2, hooks: { before_stop: write } }));
    const { client, fleet } = stand;
    await fill(stand);
    const host = fleet.hostOf('server1');
    const { programDir } = fleet.instance('server1');
    expect((await client.deploy(DEPLOY)).body.msg).toBeUndefined();

    const links = await host.ssh(`cd ${programDir}/ && readlink ${shared.join(' ')}`);
    expect(links.stdout.trim().split('\n')).toEqual(shared.map((entry) => `${programDir}_shared/${entry}`));
    expect(await read(stand, '/logs/app.log')).toBe('early\nlate\n');
    expect(await read(stand, '/uploads/new')).toBe('new\n');
    expect(await read(stand, '/uploads/link/第 1.png')).toBe('picture\n');
    expect(await read(stand, '/notes.txt')).toBe('note\n');
    expect(
      (await host.ssh(`stat -c %a ${programDir}_shared/uploads; ls -A ${programDir}_shared/var/data`)).stdout,
    ).toBe('750\n');
    expect(await read(stand, `_${FORMER}/logs/app.log`)).toBe('early\nlate\n');

    // The listing is as it was recorded, whatever the app writes: nothing is hashed (-z), nothing is sent.
    const hashed = join(scratch(), 'hashed');
    host.putCommand(
      'sha256sum',
      `#!/bin/sh\ncase "$1" in -z) echo hashed >> ${hashed} ;; esac\nexec /usr/bin/sha256sum "$@"\n`,
    );
    for (let round = 0; round < 3; round += 1) {
      const { body } = await client.deploy({ ...DEPLOY, k: 'server1' });
      expect(body.job?.progress).toMatchObject({ bytes: '0', bytes_total: '0' });
    }
    expect((await host.ssh(`cat ${hashed}; ls -d ${programDir}_2*| wc -l`)).stdout.trim()).toBe('2');
    expect(await read(stand, '_shared/logs/app.log')).toBe('early\nlate\nlate\nlate\nlate\n');
    expect(await read(stand, '_shared/uploads/a b/第 1.png')).toBe('picture\n');
  });

  test('a plain directory makes way with what it holds, and a package brings nothing into what is shared', async ({
    start,
  }) => {
    const stand = await start({ ...withName({ shared }), fleet: { firstDeployment: 'plain' } });
    await fill(stand);
    await stand.fleet.uat.ssh(`cd ${programOfUat(stand)}/ && mkdir logs && echo stranger > logs/app.log`);
    expect((await stand.client.deploy(DEPLOY)).body.msg).toBeUndefined();
    expect(await read(stand, '/logs/app.log')).toBe('early\n');
    const { programDir } = stand.fleet.instance('server1');
    const before = await stand.fleet.hostOf('server1').ssh(`cat ${programDir}_*_before/logs/app.log`);
    expect(before.stdout).toBe('early\n');
  });

  test('a release that is brought back has its own as it was; what it then writes comes with the next one', async () => {
    const stand = standing();
    const [k, key] = ['app6', firstOf('app6')];
    await fill(stand, key);
    const { programDir } = stand.fleet.instance(key);
    setBehaviour(programOfUat(stand, k), { fail: 'start' });
    expect((await stand.client.deploy({ ...DEPLOY, k })).body.msg).toContain(`${key} was brought back`);
    const own = await stand.fleet
      .hostOf(key)
      .ssh(`cd ${programDir}/ && [ ! -L logs ] && echo after >> logs/app.log; ls -dA ../${k}-*`);
    expect(own.stdout).not.toMatch(/_20[2-9]\d{5}_/);
    setBehaviour(programOfUat(stand, k), {});
    expect((await stand.client.deploy({ ...DEPLOY, k })).body.msg).toBeUndefined();
    expect(await read(stand, '/logs/app.log', key)).toBe('early\nafter\n');
  });

  test('odd names, links out of the releases and links into them', () => {
    const dir = scratch();
    const functions = ['shared', 'common'].map((name) =>
      readFileSync(new URL(`../apps/worker/scripts/${name}.sh`, import.meta.url), 'utf8'),
    );
    const run = (script: string): string =>
      execFileSync('dash', ['-c', `${functions.join('\n')}\n${script}`], { cwd: dir, encoding: 'utf8', stdio: 'pipe' });
    const entries = `-n\nit's "$(x)"\nout\nin\nempty`;
    run(`mkdir -p p_1/-n "p_1/it's \\"\\$(x)\\"/d" p_1/real data tree; printf 1 > "p_1/-n/$(printf 'a\\nb')"; echo 2 > "p_1/it's \\"\\$(x)\\"/d/-f"
      ln -s ${dir}/data p_1/out; ln -s real p_1/in; echo 3 > p_1/real/f; echo 4 > data/g`);
    const args = (rest: string) => `${dir}/p_shared ${dir}/p_1 ${rest} '${entries.replaceAll("'", `'\\''`)}'`;
    run(`share_all ${args(`${dir}/tree`)}`);
    expect(
      run(`cat "tree/-n/$(printf 'a\\nb')" "tree/it's \\"\\$(x)\\"/d/-f" tree/out/g tree/in/f; ls -A tree/empty`),
    ).toBe('12\n4\n3\n');
    // A link out leads there still; one into the release was copied, because releases are removed.
    expect(run('readlink p_shared/out; [ -L p_shared/in ] || echo copied').split('\n')).toEqual([
      `${dir}/data`,
      'copied',
      '',
    ]);
    run(`echo 5 > p_1/real/f; touch -d '1 hour' p_1/real/f; update_all ${args('')}`);
    expect(run('cat p_shared/in/f; find . -name "*.rex-*"')).toBe('5\n');
    expect(() => run(`mkdir tree2; ln -s /tmp tree2/var; share_all ${dir}/p_shared '' ${dir}/tree2 var/log`)).toThrow(
      'a link of the package stands on the way to shared var/log',
    );
  });
});

describe('the configuration', () => {
  const issuesOf = (list: string): string[] => {
    const text = `
env: { key: prod }
environments:
  prod:
    ssh: { private_key: key }
    names: { server: { shared: ${list}, instances: { server1: { host: h, program_dir: /srv/app } } } }
`;
    try {
      parseConfig(text, '/etc/rex/config.yml', {});
    } catch (error) {
      if (error instanceof ConfigError) return error.issues.map(({ path }) => path.split('.').slice(4).join('.'));
      throw error;
    }
    return [];
  };

  test.for(['/etc', '../x', 'a/../b', 'a//b', 'logs/', '.', '""', '"*.log"', '"a\\nb"', "'a\\b'"])(
    'refuses to share %s',
    (entry) => {
      expect(issuesOf(`[${entry}]`)).toEqual(['shared.0']);
    },
  );

  test('refuses what lies in another entry, and takes what only begins alike', () => {
    expect(issuesOf('[var, var/log]')).toEqual(['shared']);
    expect(issuesOf('[logs, logs]')).toEqual(['shared']);
    expect(issuesOf('[log, logs, "a b", .cache]')).toEqual([]);
  });
});
