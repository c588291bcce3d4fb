import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import { parseConfig } from '@rexdeploy/shared/config/load';
import type { NewEvent } from '@rexdeploy/shared/journal/events';
import { proveRelease } from '@rexdeploy/worker/health/proof';
import { withRelease } from '@rexdeploy/worker/health/release-name';
import { watch } from '@rexdeploy/worker/health/watch';
import { describe, expect, onTestFinished, test } from 'vitest';
import { localHost } from './support/local-host.js';

const FORMER = 'html1_20250101_000000';
const RELEASE = 'html1_20260102_030405';
const OWN_BOOT = 'cat /proc/sys/kernel/random/boot_id';

/** A host's folder as a switch leaves it: the link leads to the release, and the former one is there still. */
class Site {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'rex-proof-')));
  /** On the command lines of the instance's processes, and on no others. */
  readonly mark = `app-${this.folder.split('-').at(-1)}`;
  readonly programDir = join(this.folder, 'html1');
  readonly warnings: string[] = [];
  readonly #children: ChildProcess[] = [];
  #tellLooked = (): void => undefined;
  /** The host has been looked at for the first time. */
  readonly looked = new Promise<void>((resolve) => {
    this.#tellLooked = resolve;
  });

  constructor() {
    for (const name of ['.rexdeploy', FORMER, RELEASE]) mkdirSync(join(this.folder, name));
    symlinkSync(this.at(RELEASE), this.programDir);
    onTestFinished(async () => {
      await Promise.all(this.#children.map(ended));
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  at = (...parts: string[]): string => join(this.folder, ...parts);

  /** The moment at which the link changes, as switch.sh notes it. */
  switch(boot = OWN_BOOT): void {
    execFileSync('sh', [
      '-c',
      `{ ${boot}; awk '{ print $22 }' /proc/self/stat; } > ${this.at('.rexdeploy/html1.switched')}`,
    ]);
  }

  /** A process of the instance; it listens where a port is given. */
  async run(cwd: string, { args = [], port, mark = this.mark, child = false }: Run = {}): Promise<number> {
    const listen = `require('http').createServer((_, answer) => answer.end('well')).listen(${port}, '127.0.0.1', () => console.log('ready'))`;
    const work = port === undefined ? `setInterval(() => {}, 1e6); console.log('ready')` : listen;
    const code = child
      ? `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`process.on('disconnect', () => process.exit()); ${work}`)}], { cwd: '/', stdio: ['ignore', 1, 2, 'ipc'] })`
      : work;
    return this.#start(
      spawn(process.execPath, ['-e', code, '--', mark, ...args], { cwd, stdio: ['ignore', 'pipe', 2] }),
    );
  }

  /** Ends a process of the instance. */
  async end(pid: number): Promise<void> {
    const child = this.#children.find((one) => one.pid === pid);
    if (child !== undefined) await ended(child);
  }

  /** A program that was copied into a release. */
  async runCopy(file: string): Promise<number> {
    copyFileSync('/bin/cat', file);
    const copy = spawn(file, ['-', this.mark], { cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
    copy.stdin?.write('ready\n');
    return this.#start(copy);
  }

  async #start(process: ChildProcess): Promise<number> {
    this.#children.push(process);
    await new Promise((resolve, reject) => process.stdout?.once('data', resolve).once('end', reject));
    return process.pid ?? 0;
  }

  /** What `verify` makes of it. */
  prove({ release = RELEASE, former, ...question }: Question = {}) {
    return proveRelease(this.#context(question), this.at(release), { former });
  }

  /** What the soak of the first batch makes of it. */
  watch(port: number, health: string, signal?: AbortSignal) {
    return watch(this.#context({ port, health, signal }), this.at(RELEASE), undefined);
  }

  #context({ pattern = this.mark, port, uid, host = '127.0.0.1', health = '', signal }: Question) {
    const check = port === undefined ? '' : `, health: { url: "http://${host}:${port}/"${health} }`;
    const process = pattern === '' ? '' : `, process: ${pattern}`;
    const instance = `host: 127.0.0.1, program_dir: ${this.programDir}, service: /bin/true${process}${check}`;
    const text = `
env: { key: prod }
environments:
  prod: { ssh: { user: deploy, private_key: key }, names: { server: { instances: { server1: { ${instance} } } } } }
`;
    const resolved = parseConfig(text, '/etc/rex/config.yml', {}).own.names.get('server')?.instances.get('server1');
    if (resolved === undefined) throw new Error('no instance');
    const append = async (...events: NewEvent[]): Promise<void> => {
      this.warnings.push(...events.flatMap((event) => (event.type === 'log' ? [event.message] : [])));
    };
    return {
      instance: resolved,
      plan: { programDir: this.programDir },
      journal: { append },
      signal: signal ?? AbortSignal.timeout(20_000),
      host: async () => {
        const host = localHost(uid);
        const run: typeof host.run = (...words) => host.run(...words).finally(this.#tellLooked);
        return { ...host, run };
      },
    };
  }
}

interface Run {
  args?: string[];
  port?: number;
  mark?: string;
  /** A child of it, at work in / and without the mark, does the work. */
  child?: boolean;
}

interface Question {
  /** Empty: none is configured. */
  pattern?: string;
  port?: number;
  release?: string;
  former?: string;
  uid?: number;
  host?: string;
  /** Further keys of the check. */
  health?: string;
  signal?: AbortSignal | undefined;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await end;
}

describe('what a process shows', () => {
  test('a working directory in the release proves it', async () => {
    const site = new Site();
    site.switch();
    const pid = await site.run(site.programDir);
    expect((await site.prove())?.why).toBe(`${pid} (cwd ${site.at(RELEASE)})`);
  });

  test('one in the former release disproves it, and the message names process, directory and command line', async () => {
    const site = new Site();
    site.switch();
    const pid = await site.run(site.at(FORMER));
    await expect(site.prove()).rejects.toThrow(
      new RegExp(
        `server1 does not run ${site.at(RELEASE)}: process ${pid} \\(working directory ${site.at(FORMER)}; .*${site.mark}`,
      ),
    );
  });

  test('one of them is enough, whatever the others show', async () => {
    const site = new Site();
    site.switch();
    await site.run(site.programDir);
    await site.run(site.at(FORMER));
    await expect(site.prove()).rejects.toThrow('runs from another release: cwd');
  });

  test('a plain directory that had to make way is another release', async () => {
    const site = new Site();
    mkdirSync(site.at('plain'));
    await site.run(site.at('plain'));
    renameSync(site.at('plain'), site.at('html1_20260102_030405_before'));
    site.switch();
    await expect(site.prove()).rejects.toThrow('html1_20260102_030405_before');
  });

  test('a working directory that was removed is a stale one', async () => {
    const site = new Site();
    mkdirSync(site.at('html1_20240101_000000'));
    await site.run(site.at('html1_20240101_000000'));
    rmSync(site.at('html1_20240101_000000'), { recursive: true });
    site.switch();
    await expect(site.prove()).rejects.toThrow('html1_20240101_000000 (deleted)');
  });

  test('a former release of any name is known as such', async () => {
    const site = new Site();
    mkdirSync(site.at('by-hand'));
    site.switch();
    await site.run(site.at('by-hand'));
    await expect(site.prove({ former: site.at('by-hand') })).rejects.toThrow('runs from another release');
    // Nobody said so: its start came after the switch.
    expect((await site.prove())?.why).toContain('started after the switch');
  });

  test('an argument that names a release tells, also within another word', async () => {
    const site = new Site();
    site.switch();
    const pid = await site.run('/', { args: [`-Dhome=/none:${site.at(RELEASE)}/lib`] });
    expect((await site.prove())?.why).toBe(`${pid} (argument ${site.at(RELEASE)}/lib)`);
    await site.run('/', { args: [`-cp`, `/none:${site.at(FORMER)}/lib.jar`] });
    await expect(site.prove()).rejects.toThrow(`argument ${site.at(FORMER)}/lib.jar`);
  });

  test('so does a program that lies in a release', async () => {
    const site = new Site();
    site.switch();
    const pid = await site.runCopy(site.at(RELEASE, 'app'));
    expect((await site.prove())?.why).toBe(`${pid} (exe ${site.at(RELEASE)}/app)`);
    await site.runCopy(site.at(FORMER, 'app'));
    await expect(site.prove()).rejects.toThrow(`exe ${site.at(FORMER)}/app`);
  });

  test('what only begins like a release is none', async () => {
    const site = new Site();
    mkdirSync(site.at('html10_20250101_000000'));
    site.switch();
    await site.run(site.at('html10_20250101_000000'), { args: [`${site.programDir}_shared/logs`] });
    expect((await site.prove())?.why).toContain('started after the switch');
  });
});

describe('the time of the start', () => {
  test('an argument through the link shows nothing: what was started before the switch is the former release', async () => {
    const site = new Site();
    await site.run('/', { args: [`-Dcatalina.home=${site.programDir}`] });
    site.switch();
    await expect(site.prove()).rejects.toThrow('was started before the switch');
  });

  test('and what was started after it is the new one', async () => {
    const site = new Site();
    site.switch();
    const pid = await site.run('/', { args: [`-Dcatalina.home=${site.programDir}`] });
    expect((await site.prove())?.why).toBe(`${pid} (started after the switch)`);
  });

  test("somebody's pager on its log does not stand in the way of what proves the release", async () => {
    const site = new Site();
    await site.run('/');
    site.switch();
    const pid = await site.run(site.programDir);
    expect((await site.prove())?.by.map((row) => row.pid)).toEqual([String(pid)]);
  });

  test('after a reboot everything was started later', async () => {
    const site = new Site();
    const pid = await site.run('/');
    site.switch('echo another-boot');
    expect((await site.prove())?.why).toBe(`${pid} (started after the switch)`);
  });

  test('where it is not known when the link changed, nothing is told, and the journal says so', async () => {
    const site = new Site();
    await site.run('/');
    expect(await site.prove()).toBeUndefined();
    expect(site.warnings).toEqual([expect.stringContaining('when its processes were started is not known')]);
  });
});

describe('who listens on the port', () => {
  test('an old process that is not of the pattern is found out', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    const old = await site.run(site.at(FORMER), { port, mark: 'no-mark' });
    site.switch();
    await site.run(site.programDir);
    await expect(site.prove({ port })).rejects.toThrow(`process ${old}, which listens on port ${port}`);
  });

  test('a child of one that proves the release may, whatever it shows itself', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    const pid = await site.run(site.programDir, { port, child: true });
    site.switch();
    expect((await site.prove({ port }))?.why).toBe(`${pid} (cwd ${site.at(RELEASE)})`);
  });

  test('one of the pattern that was there before may not', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    const old = await site.run('/', { port });
    site.switch();
    await site.run(site.programDir);
    await expect(site.prove({ port })).rejects.toThrow(
      new RegExp(`process ${old}, which.* was started before the switch`),
    );
  });

  test('a stranger, such as a proxy in front, is a warning', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    const proxy = await site.run('/', { port, mark: 'proxy' });
    site.switch();
    await site.run(site.programDir);
    expect(await site.prove({ port })).toBeUndefined();
    expect(site.warnings).toEqual([expect.stringMatching(new RegExp(`process ${proxy},.* is none of its processes`))]);
  });

  test('without a pattern the port alone tells who it is', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    const pid = await site.run(site.programDir, { port });
    expect((await site.prove({ port, pattern: '' }))?.by.map((row) => row.pid)).toEqual([String(pid)]);
    site.switch();
    expect((await site.prove({ port, pattern: '' }))?.why).toContain('cwd');
  });

  test('and one that was there before the switch has failed', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    await site.run('/', { port });
    site.switch();
    await expect(site.prove({ port, pattern: '' })).rejects.toThrow('was started before the switch');
  });

  test('what may not be seen is a warning, with the user who may not', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    await site.run(site.programDir, { port });
    execFileSync('chmod', ['-R', 'a+rX', site.folder]);
    expect(await site.prove({ port, pattern: '', uid: 65_534 })).toBeUndefined();
    expect(site.warnings).toEqual([expect.stringMatching(/nobody may not see which process listens/)]);
  });

  test('a check that asks another machine says nothing about who listens here', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    await site.run('/', { port, mark: 'no-mark' });
    expect(await site.prove({ port, pattern: '', host: 'elsewhere.example' })).toBeUndefined();
    expect(site.warnings).toEqual([]);
  });
});

test('what was brought back may be a plain directory', async () => {
  const site = new Site();
  rmSync(site.programDir);
  mkdirSync(site.programDir);
  site.switch();
  const pid = await site.run(site.programDir);
  expect((await site.prove({ release: 'html1' }))?.why).toBe(`${pid} (cwd ${site.programDir})`);
  await site.run(site.at(RELEASE));
  await expect(site.prove({ release: 'html1' })).rejects.toThrow('runs from another release');
});

test('none that matches the pattern is left', async () => {
  const site = new Site();
  site.switch();
  await expect(site.prove()).rejects.toThrow(`no process matches "${site.mark}" any more`);
});

test('secrets of a command line stay out of the message', async () => {
  const site = new Site();
  site.switch();
  await site.run(site.at(FORMER), { args: ['-Ddb.password=hunter2', '--token', 'hunter2', 'plain'] });
  const error = await site.prove().catch((thrown: Error) => thrown.message);
  expect(error).toContain('-Ddb.password=… --token … plain');
  expect(error).not.toContain('hunter2');
});

test('{release} is the base name of the directory, wherever a check asks for it', () => {
  const text = `
env: { key: prod }
environments:
  prod:
    ssh: { user: deploy, private_key: key }
    health: { url: "http://h/{release}", contains: "is {release}", headers: { x-wanted: "{release}" } }
    names:
      server:
        instances:
          server1: { host: h, program_dir: /srv/app }
          server2: { host: h, program_dir: /srv/app2, health: { command: "grep '{release}' /run/app" } }
`;
  const all = parseConfig(text, '/etc/rex/config.yml', {}).own.names.get('server')?.instances;
  const filled = (key: string, release: string) => {
    const health = all?.get(key)?.health;
    return health === undefined ? undefined : withRelease(health, release);
  };
  expect(filled('server1', '/srv/app_20260102_030405')).toMatchObject({
    url: 'http://h/app_20260102_030405',
    contains: 'is app_20260102_030405',
    headers: { 'x-wanted': 'app_20260102_030405' },
  });
  expect(filled('server2', '/srv/app_20260102_030405')?.command).toBe("grep 'app_20260102_030405' /run/app");
  // A command gets nothing that a shell would read as more than a word.
  expect(filled('server2', '/srv/a; b_20260102_030405')?.command).toContain("'a; b_20260102_030405'");
});

describe('a soak', () => {
  test('asks again and again, for as long as it is told', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    const pid = await site.run(site.programDir, { port });
    const begun = performance.now();
    const { checks, proof } = await site.watch(port, ', soak: 1500ms, interval: 20ms');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_500);
    expect(checks).toBeGreaterThan(3);
    expect(proof).toBe(`${pid} (cwd ${site.at(RELEASE)})`);
  });

  test('ends with the first answer that is not healthy', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    const pid = await site.run(site.programDir, { port });
    const watching = site.watch(port, ', soak: 1h, interval: 20ms');
    watching.catch(() => undefined);
    await site.looked;
    await site.end(pid);
    await expect(watching).rejects.toThrow(/not healthy any more after \d\.\d s of soak: .*ECONN/);
  });

  test('finds out an app that was started again between two looks', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    const first = await site.run(site.programDir, { port });
    // Nobody is asked in between, and a busy machine has the time to start it again.
    const watching = site.watch(port, ', soak: 5s, interval: 5s');
    watching.catch(() => undefined);
    await site.looked;
    await site.end(first);
    const second = await site.run(site.programDir, { port });
    await expect(watching).rejects.toThrow(
      new RegExp(`server1 was started again while it was watched: ${first} \\(.* became ${second} `),
    );
  });

  test('is left at once when the worker must stop', async () => {
    const site = new Site();
    const port = await findFreePort('127.0.0.1');
    site.switch();
    await site.run(site.programDir, { port });
    const stop = new AbortController();
    const watching = site.watch(port, ', soak: 1h', stop.signal);
    watching.catch(() => undefined);
    await site.looked;
    stop.abort(new Error('no longer ours'));
    await expect(watching).rejects.toThrow();
  });
});
