import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { RemoteScript } from '@rexdeploy/ssh/transport';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseFacts } from './answers.js';
import { scripts } from './remote-scripts.js';

/** The scripts themselves, under a real `sh`, where the state of a disk matters and no service does. */

/** With everything in it that a shell, tar or a pattern could take for something else. */
const ODD = `-it's "a" $(touch x) \`id\` 程序*[1]\\n`;
const [ONE, TWO] = ['20260101_000000', '20260102_000000'] as const;

let folder = '';
const folders: string[] = [];
const mounts: string[] = [];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'rex-scripts-')), ODD);
  folders.push(dirname(folder));
  mkdirSync(folder);
});
afterAll(() => {
  for (const place of mounts) execFileSync('umount', [place]);
  for (const each of folders) rmSync(each, { recursive: true });
});

function run(script: RemoteScript, args: readonly string[], options: { env?: NodeJS.ProcessEnv; uid?: number } = {}) {
  const words = ['-c', script.text, `rex:${script.name}:test`, ...args];
  const { status, stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8', ...options });
  return { code: status, stdout, stderr };
}

/** As fence.ts does for the owner of a deployment. */
const fenced = (dir: string): string[] => {
  const owner = ['here', 'dep-1', '100', '1', 'worker-1', '2026-01-02T03:04:05Z', '5'];
  return [join(dirname(dir), '.rexdeploy'), basename(dir), 'hold', ...owner];
};

interface Switch {
  dir: string;
  to: string;
  start?: string;
  stop?: string;
  beforeStop?: string;
  afterSwitch?: string;
  hookSeconds?: number;
  isBack?: boolean;
  env?: NodeJS.ProcessEnv;
}

function runSwitch({ dir, to, start = '', stop = '', beforeStop = '', afterSwitch = '', ...more }: Switch) {
  const { hookSeconds = 10, isBack = false, env } = more;
  const service = [start, stop, '', '_20260102_000000_before', '5', '5'];
  const hooks = [beforeStop, afterSwitch, '', String(hookSeconds), isBack ? 'no' : 'yes'];
  const args = [dir, `link ${to}`, '', '', ...service, ...hooks, 'server1', 'h', to, `${dir}_shared`, '', ''];
  return run(scripts.switch, [...fenced(dir), ...args], env === undefined ? {} : { env });
}

/** A directory that leads to the first of two releases. */
function linked(at = folder): string {
  const dir = join(at, 'html 1');
  for (const label of [ONE, TWO]) mkdirSync(`${dir}_${label}`);
  symlinkSync(`${dir}_${ONE}`, dir);
  return dir;
}

/** A file system of its own; whoever runs the tests must be root for that. */
function mount(name: string, options: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'rex-tests', place]);
  mounts.push(place);
  return place;
}

const inspect = (dir: string, uid?: number) =>
  parseFacts(
    run(scripts.inspect, [dir, `${dir}_${TWO}`, '', '', '', '', 'no', 'no', `${dir}_shared`, ''], {
      ...(uid !== undefined && { uid }),
    }).stdout,
  );

describe('switch', () => {
  test('starts a service as the log-in would: in its locale and with its umask', () => {
    const dir = linked();
    const told = join(folder, 'told');
    const tell = 'echo "$LANG ${LC_ALL-none} $(umask)" >> "$TOLD"';
    const env = { PATH: process.env.PATH, TOLD: told, LANG: 'zh_CN.UTF-8' };
    const former = process.umask(0o027);
    try {
      expect(runSwitch({ dir, to: `${dir}_${TWO}`, start: tell, stop: tell, afterSwitch: tell, env }).code).toBe(0);
      runSwitch({ dir, to: `${dir}_${ONE}`, start: tell, env: { ...env, LC_ALL: 'zh_CN.GBK' } });
    } finally {
      process.umask(former);
    }
    const plain = 'zh_CN.UTF-8 none 0027';
    expect(readFileSync(told, 'utf8').trim().split('\n')).toEqual([plain, plain, plain, 'zh_CN.UTF-8 zh_CN.GBK 0027']);
  });

  test('ends a hook that hangs, with what it started, and says so', () => {
    const dir = linked();
    const { code, stderr } = runSwitch({ dir, to: `${dir}_${TWO}`, beforeStop: 'sleep 86394; true', hookSeconds: 1 });
    expect(code).toBe(95);
    expect(stderr).toContain('did not end within 1 s');
    expect(spawnSync('pgrep', ['-fx', 'sleep 86394']).status).toBe(1);
  });

  describe('on a disk without inodes', () => {
    const FILL = 'i=0; while true > "$DISK/fill$i"; do i=$((i + 1)); done 2> /dev/null';
    function full() {
      const disk = mount('disk', 'size=4m,nr_inodes=60');
      const state = join(folder, 'state');
      // Whatever needs a temporary file finds no room for it either.
      const env = { PATH: process.env.PATH, DISK: disk, TMPDIR: disk, STATE: state };
      const service = { start: 'echo runs > "$STATE"', stop: 'echo stopped > "$STATE"', env };
      return { dir: linked(disk), service, seen: () => readFileSync(state, 'utf8').trim() };
    }

    test('nothing is stopped for a link that cannot be made, and the bring-back gets by without', () => {
      const { dir, service, seen } = full();
      execFileSync('sh', ['-c', service.start], { env: service.env });
      const there = runSwitch({ dir, to: `${dir}_${TWO}`, ...service, beforeStop: `${FILL}; true` });
      expect(there).toMatchObject({ code: 92, stderr: expect.stringContaining('no link can be made beside') });
      expect(there.stdout).toBe('mark\tbefore_stop\n');
      expect(seen()).toBe('runs');
      expect(runSwitch({ dir, to: `${dir}_${ONE}`, ...service, isBack: true }).code).toBe(0);
      expect([seen(), readlinkSync(dir)]).toEqual(['runs', `${dir}_${ONE}`]);
    });

    test('what was switched already is brought back all the same', () => {
      const { dir, service, seen } = full();
      const there = runSwitch({ dir, to: `${dir}_${TWO}`, ...service, afterSwitch: `${FILL}; false` });
      expect([there.code, seen(), readlinkSync(dir)]).toEqual([96, 'stopped', `${dir}_${TWO}`]);
      execFileSync('sh', ['-c', FILL], { env: service.env });
      expect(runSwitch({ dir, to: `${dir}_${ONE}`, ...service, isBack: true }).code).toBe(0);
      expect([seen(), readlinkSync(dir)]).toEqual(['runs', `${dir}_${ONE}`]);
    });
  });
});

describe('cleanup', () => {
  test('keeps the former release, also where the directory is named by way of a link', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'data'));
    const [dir, real] = ['data', 'real'].map((name) => join(folder, name, 'html'));
    if (dir === undefined || real === undefined) throw new Error('both are there');
    const labels = [1, 2, 3, 4, 5].map((day) => `2026010${day}_000000`);
    for (const label of labels) mkdirSync(`${real}_${label}`);
    symlinkSync(`${dir}_${labels[4]}`, dir);
    const args = ['2', '', dir, `${real}_${labels[4]}`, `${real}_${labels[0]}`, `${dir}_${labels[1]}`];
    expect(run(scripts.cleanup, [...fenced(dir), ...args])).toMatchObject({
      code: 0,
      stdout: `removed\t${dir}_${labels[2]}\n`,
    });
    const kept = readdirSync(dirname(real)).filter((name) => name.startsWith('html_'));
    expect(kept.sort()).toEqual([0, 1, 3, 4].map((at) => `html_${labels[at]}`));
  });
});

describe('inspect', () => {
  test('a directory that something is mounted on cannot make way', () => {
    const place = mount('html', 'size=1m');
    expect(inspect(place)).toMatchObject({ 'program.kind': 'directory', 'program.mounted': 'yes' });
    mkdirSync(join(place, 'app'));
    expect(inspect(join(place, 'app'))['program.mounted']).toBeUndefined();
  });

  test("a folder of our own that is somebody else's cannot be written, as the one that it lies in", () => {
    const dir = linked();
    chmodSync(dirname(folder), 0o755);
    const NOBODY = 65_534;
    expect(inspect(dir, NOBODY)['program.writable']).toBe(folder);
    chownSync(folder, NOBODY, NOBODY);
    expect(inspect(dir, NOBODY)['program.writable']).toBe('yes');
    mkdirSync(join(folder, '.rexdeploy'));
    expect(inspect(dir, NOBODY)['program.writable']).toBe(join(folder, '.rexdeploy'));
  });
});

test('nothing of an odd name was taken for a command', () => {
  expect(folders.map((each) => existsSync(join(each, 'x')))).not.toContain(true);
  expect(existsSync('x')).toBe(false);
});
