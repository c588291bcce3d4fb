import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, runCommand } from '@rexdeploy/sandbox/command';
import { type Api, startApi } from '@rexdeploy/sandbox/controller';
import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { type Sshd, startSshd } from '@rexdeploy/sandbox/sshd';
import { NameBusyError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { claim } from '@rexdeploy/shared/journal/journal';
import { openRedis, whenReady } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { hashToken, TOKEN } from '@rexdeploy/shared/tokens';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleJournal } from './support/sample-journal.js';
import { startStubApi } from './support/stub-api.js';

const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));
const JOB = 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rex-cli-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Runs the real command; nothing of the environment of the tests leads it astray. */
function rex(words: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const { REX_CONFIG: _, REX_SERVER: __, REX_TOKEN: ___, REX_ENV: ____, ...rest } = process.env;
  return runCommand(process.execPath, [REX, ...words], { cwd: dir, env: { ...rest, ...env } });
}

async function writeConfig(
  settings: { redis?: string; host?: string; port?: number; known?: string } = {},
): Promise<void> {
  const { redis = '', host = 'web1', port = 22, known = 'known_hosts' } = settings;
  await writeFile(
    join(dir, 'config.yml'),
    `env: { key: prod }
timezone: Asia/Shanghai
redis: { url: "${redis}" }
api: { port: 0 }
environments:
  prod:
    desc: live
    allow_senv: [uat]
    ssh: { user: deploy, port: ${port}, private_key: key, known_hosts: ${known} }
    names:
      server:
        balancer: { type: nginx, host: lb1, upstream_file: /etc/nginx/server.conf }
        health: { url: "http://{host}:6080/{instance}", contains: up }
        instances:
          server1: { host: "${host}", program_dir: /data/www/html1, service: { start: s1 up, stop: s1 down }, process: s1 }
          server2: { host: web2, program_dir: /data/www/html2, config_dir: /data/www/config2 }
  uat:
    ssh: { user: deploy, private_key: key }
    names: { server: { instances: { server1: { host: "${host}", program_dir: /srv/html } } } }
`,
  );
}

describe('rex token', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  test('create prints the token once; Redis holds its digest and nothing else of it', async () => {
    await writeConfig({ redis: redis.url });
    const words = [
      'token',
      'create',
      '--name',
      'ci',
      '--role',
      'viewer',
      '--names',
      'server, shop*',
      '--expires',
      '90d',
    ];
    const made = await rex([...words, '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const answer = JSON.parse(made.stdout);
    expect(answer).toEqual({
      name: 'ci',
      token: expect.stringMatching(TOKEN),
      role: 'viewer',
      names: 'server,shop*',
      expires: expect.any(String),
    });
    expect(Date.parse(answer.expires) - Date.now()).toBeGreaterThan(89.9 * 86_400_000);

    const client = openRedis(redis.url, 'request', () => undefined);
    await whenReady(client, 2_000);
    const stored = await client.hgetall(new Keys('rex').token(hashToken(answer.token)));
    client.disconnect();
    expect(stored).toMatchObject({ name: 'ci', role: 'viewer', names: 'server,shop*' });
    expect(JSON.stringify(stored)).not.toContain(answer.token);

    const listed = await rex(['token', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ name: 'ci', role: 'viewer', expires: answer.expires, last_used: null }),
    ]);
    expect(listed.stdout).not.toContain(answer.token);
    expect((await rex(['token', 'create', '--name', 'ci'])).stderr).toContain('a token named "ci" exists');

    expect((await rex(['token', 'revoke', '--name', 'ci'])).code).toBe(0);
    expect((await rex(['token', 'revoke', '--name', 'ci'])).code).toBe(1);
    expect((await rex(['token', 'list'])).stdout).toContain('no tokens');
  });

  test('plain output is the token alone, so that a shell can keep it', async () => {
    await writeConfig({ redis: redis.url });
    const made = await rex(['token', 'create', '--name', 'plain']);
    expect(made.stdout.trim()).toMatch(TOKEN);
    expect(made.stderr).toContain('role deployer, names *, never expires');
    const listed = await rex(['token', 'list']);
    expect(listed.stdout).toMatch(/^plain +\d{10}…[a-z]{4} +deployer +\* +\S+Z +never +-$/m);
  });

  test.for([
    [['--name', 'a b'], 'Letters, digits'],
    [['--name', 'ok', '--role', 'king'], 'Allowed choices are viewer, deployer, admin'],
    [['--name', 'ok', '--names', 'a;b'], 'Names separated by commas'],
    [['--name', 'ok', '--expires', '90'], 'A duration such as'],
    [[], "required option '--name <name>' not specified"],
  ] as const)('wrong usage is told and ends with 2: %j', async ([words, message]) => {
    const result = await rex(['token', 'create', ...words]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });

  test('a Redis that is away ends it with 4, and names the setting', async () => {
    await writeConfig({ redis: 'redis://127.0.0.1:1' });
    const result = await rex(['token', 'list']);
    expect(result).toMatchObject({ code: 4, stdout: '' });
    expect(result.stderr).toMatch(/^rex: Redis cannot be used: .*ECONNREFUSED.*; check redis.url in /);
  });

  test('the embedded Redis is started for it, keeps the token, and is stopped again', async () => {
    await writeConfig();
    const made = await rex(['token', 'create', '--name', 'ci', '--json']);
    expect(made.code).toBe(0);
    const { pid } = JSON.parse(await readFile(join(dir, 'data/redis/endpoint.json'), 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(JSON.parse((await rex(['token', 'list', '--json'])).stdout)).toEqual([
      expect.objectContaining({ name: 'ci' }),
    ]);
    const second = JSON.parse(await readFile(join(dir, 'data/redis/endpoint.json'), 'utf8'));
    await expect.poll(() => isAlive(second.pid)).toBe(false);
  });
});

describe('rex config', () => {
  test('check prints the resolved plan of each name of the own environment', async () => {
    await writeConfig({ port: 2222 });
    const { code, stdout } = await rex(['config', 'check']);
    expect(code).toBe(0);
    expect(stdout).toContain('environment prod (live), time zone Asia/Shanghai');
    expect(stdout).toContain('server: server1 → server2');
    expect(stdout).toContain('senv may be: uat');
    expect(stdout).toContain('server1  deploy@web1:2222');
    const plan = JSON.parse((await rex(['config', 'check', '--json'])).stdout);
    expect(plan.names).toHaveLength(1);
    expect(plan.names[0]).toMatchObject({ k: 'server', batches: [['server1'], ['server2']], sources: ['uat'] });
    expect(plan.names[0].instances[0]).toEqual({
      key: 'server1',
      host: 'web1',
      port: 2222,
      user: 'deploy',
      login: `key ${join(dir, 'key')}`,
      known_hosts: join(dir, 'known_hosts'),
      program_dir: '/data/www/html1',
      config_dir: null,
      service: 's1 up | s1 down',
      process: 's1',
      balancer: 'nginx deploy@lb1:2222 /etc/nginx/server.conf',
      health: 'http://web1:6080/server1 answers 200 with "up"',
    });
  });

  test('check never shows a password', async () => {
    await writeConfig({ redis: 'redis://:hidden@redis:6379/1' });
    const { stdout } = await rex(['config', 'check']);
    expect(stdout).toContain('Redis redis://redis:6379/1');
    expect(stdout).not.toContain('hidden');
  });

  test('check tells every fault and ends with 2', async () => {
    await writeFile(join(dir, 'config.yml'), 'env: { key: prod }\nretires: 3\nenvironments: {}\n');
    const { code, stdout, stderr } = await rex(['config', 'check']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('retires: found the key "retires", expected no such key');
    expect(stderr).toContain('environments: found {}, expected at least one environment');
    expect(stderr).not.toContain('    at ');
  });

  test('a config that is not there ends with 2, wherever it was named', async () => {
    expect((await rex(['config', 'check'])).code).toBe(2);
    expect((await rex(['config', 'check', '-c', 'other.yml'])).stderr).toContain('other.yml');
    expect((await rex(['config', 'check'], { REX_CONFIG: 'third.yml' })).stderr).toContain('third.yml');
  });

  test('schema prints a JSON Schema', async () => {
    const schema = JSON.parse((await rex(['config', 'schema'])).stdout);
    expect(schema.properties.worker.properties.lock).toEqual({ type: 'string', default: '15s' });
    expect(schema.$defs.ssh.properties).toHaveProperty('known_hosts');
  });
});

describe('rex hosts trust', () => {
  let sshd: Sshd;
  let hostDir: string;
  beforeAll(async () => {
    hostDir = await mkdtemp(join(tmpdir(), 'rex-cli-host-'));
    const binDir = join(hostDir, 'bin');
    sshd = await startSshd({ dir: hostDir, binDir, address: '127.0.0.1', authorizedKeys: [], rsa: true });
  });
  afterAll(async () => {
    await sshd.stop();
    await rm(hostDir, { recursive: true, force: true });
  });

  const knownHosts = (): Promise<string> => readFile(join(dir, 'keys/known_hosts'), 'utf8');
  const place = (): string => `[127.0.0.1]:${sshd.port}`;
  const prepare = (): Promise<void> => writeConfig({ host: '127.0.0.1', port: sshd.port, known: 'keys/known_hosts' });

  test('shows the fingerprints and adds the keys to the file that the config names for the host', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`, '--yes']);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(/^ {2}ssh-ed25519 SHA256:\S{43}$/m);
    const lines = (await knownHosts()).trim().split('\n').sort();
    expect(lines).toEqual(sshd.hostKeys.map((key) => `${place()} ${key}`).sort());
    const again = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('is trusted already');
    expect((await knownHosts()).trim().split('\n')).toHaveLength(lines.length);
  });

  test('writes nothing without consent', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', `127.0.0.1:${sshd.port}`]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('compare the fingerprints, then run again with --yes');
    await expect(knownHosts()).rejects.toThrow('ENOENT');
  });

  test('a key that has changed is refused until it is replaced on purpose', async () => {
    await prepare();
    const [key = ''] = sshd.hostKeys;
    const other = 'AAAAC3NzaC1lZDI1NTE5AAAAIFnZ6P9Yl3q7b0i8Qk0m1r2s3t4u5v6w7x8y9zABCDEF';
    const file = join(dir, 'old');
    await writeFile(file, `${place()} ssh-ed25519 ${other}\n`);
    const words = ['hosts', 'trust', `127.0.0.1:${sshd.port}`, '--yes', '--known-hosts', file];
    const refused = await rex(words);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`the host key of 127.0.0.1:${sshd.port} has changed`);
    expect(await readFile(file, 'utf8')).toBe(`${place()} ssh-ed25519 ${other}\n`);
    expect(await rex([...words, '--replace'])).toMatchObject({ code: 0 });
    const text = await readFile(file, 'utf8');
    expect(text).toContain(key);
    expect(text).not.toContain(other);
  });

  test('a host that the config does not know is told, with what to do', async () => {
    await prepare();
    const result = await rex(['hosts', 'trust', 'elsewhere', '--yes']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('no instance and no balancer is on elsewhere');
    const ports = await rex(['hosts', 'trust', '127.0.0.1:1', '--yes']);
    expect(ports.stderr).toContain(`the config reaches it on port ${sshd.port}, 22`);
  });

  test('a host that does not answer ends it with 4', async () => {
    const result = await rex(['hosts', 'trust', '127.0.0.1:1', '--yes', '--known-hosts', 'file']);
    expect(result).toMatchObject({ code: 4, stdout: '' });
  });
});

describe('rex and the API', () => {
  test('deploy follows the job with one line per event, and ends with its answer', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const words = ['deploy', '--k', 'server', '--senv', 'uat', '--full', '2', '--sprint', '--token', api.token];
    const { code, stdout, stderr } = await rex([...words, '--server', api.url]);
    expect(code).toBe(0);
    const lines = stderr.trim().split('\n');
    expect(lines[0]).toBe(`${JOB} queued`);
    expect(lines).toHaveLength(1 + sampleJournal(JOB).length);
    expect(stderr).toContain('server1 stage 32M of 32M');
    expect(stdout).toContain(`${JOB} succeeded: server 全部灰度发布完成`);
    expect(stdout).toMatch(/^server2 +192\.168\.0\.248 +\/data\/www\/html2_20260302_143756 .* Total Take:\d+ \|\|/m);
    expect(api.requests[0]).toMatchObject({ method: 'POST', url: '/rex' });
    expect(Object.fromEntries(new URLSearchParams(api.requests[0]?.body))).toEqual({
      action: 'deploy',
      k: 'server',
      senv: 'uat',
      full: '2',
      sprint: '1',
    });
  });

  test('a stream that breaks goes on where it broke: every event once, in order', async () => {
    const events = sampleJournal(JOB);
    await using api = await startStubApi({ events, breaksAfter: [3, 0, 4], unavailable: 1 });
    const { code, stdout, stderr } = await rex(['watch', JOB, '--json', '--server', `${api.url}/`], {
      REX_TOKEN: api.token,
    });
    expect(code).toBe(0);
    const lines = stderr.split('\n').filter((line) => /^\d{4}-/.test(line));
    expect(lines.map((line) => line.slice(0, 24))).toEqual(events.map((event) => event.at));
    const streams = api.requests.filter((request) => request.url.endsWith('/events'));
    expect(streams.map((request) => request.headers['last-event-id'])).toEqual([undefined, undefined, '3', '3', '7']);
    expect(JSON.parse(stdout)).toMatchObject({ code: '0', job: { id: JOB, state: 'succeeded' } });
  });

  test('a deployment that fails ends deploy, watch and status with 1', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB, 'failing') });
    const env = { REX_SERVER: api.url, REX_TOKEN: api.token };
    for (const words of [
      ['deploy', '--k', 'server'],
      ['watch', JOB],
      ['status', JOB],
    ]) {
      const { code, stdout } = await rex(words, env);
      expect(code).toBe(1);
      expect(stdout).toContain(`${JOB} failed: server2 verify: no answer with status 200 after 30 attempts`);
      expect(stdout).toMatch(/^server1 +192/m);
    }
  });

  test('a dry run shows the differences of each instance', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB, 'dry-run') });
    const words = ['deploy', '--k', 'server', '--dry-run', '--server', api.url, '--token', api.token];
    const { code, stdout } = await rex(words);
    expect(code).toBe(0);
    expect(stdout).toContain('server1 program: 1 new, 1 changed, 1 gone, 409 the same\n  + lib/new.jar\n');
    expect(api.requests[0]?.body).toContain('dry_run=1');
  });

  test('the command that an answer names as its equivalent is one', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const words = [
      'deploy',
      '--dry-run',
      '1',
      '--full',
      '2',
      '--k',
      'server1 server2',
      '--senv',
      'uat',
      '--sprint',
      '0',
    ];
    expect(await rex([...words, '--detach'], { REX_SERVER: api.url, REX_TOKEN: api.token })).toMatchObject({
      code: 0,
      stdout: `${JOB}\n`,
    });
    expect(new URLSearchParams(api.requests[0]?.body).get('k')).toBe('server1 server2');
    expect(api.requests).toHaveLength(1);
  });

  test('list shows jobs, and passes its filters on', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const env = { REX_SERVER: api.url, REX_TOKEN: api.token };
    const { stdout } = await rex(['list', '--k', 'server', '--state', 'succeeded', '--limit', '5'], env);
    expect(stdout).toMatch(new RegExp(`^${JOB} +succeeded +deploy +server +\\S+Z +2/2$`, 'm'));
    expect(api.requests[0]?.url).toBe('/jobs?k=server&state=succeeded&limit=5');
    expect(JSON.parse((await rex(['list', '--json'], env)).stdout)).toEqual([expect.objectContaining({ id: JOB })]);
  });

  test('upload sends the fields before the file, with its digest', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const env = { REX_SERVER: api.url, REX_TOKEN: api.token };
    await writeFile(join(dir, 'app.tgz'), 'content of an archive');
    const { code, stdout } = await rex(['upload', '--k', 'server', 'app.tgz'], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pkg-1: 3 files, 120 bytes\n' });
    const form = api.requests[0];
    const parts = form?.body.split(/--rex-[0-9a-f-]{36}\r\n/).slice(1);
    expect(parts?.map((part) => /name="(\w+)"/.exec(part)?.[1])).toEqual(['k', 'kind', 'sha256', 'file']);
    expect(form?.body).toContain('filename="app.tgz"');
    expect(form?.body).toContain('\r\n\r\ncontent of an archive\r\n--');
    expect(Number(form?.headers['content-length'])).toBe(form?.body.length);

    const wrong = await rex(['upload', '--k', 'server', '--sha256', '0'.repeat(64), 'app.tgz'], env);
    expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing was uploaded') });
    expect((await rex(['upload', '--k', 'server', '--kind', 'config', 'app.tgz'], env)).code).toBe(2);
    expect((await rex(['upload', '--k', 'server', 'gone.tgz'], env)).stderr).toContain(
      'gone.tgz: cannot be read (ENOENT)',
    );
    expect(api.requests).toHaveLength(1);
  });

  test('a refusal ends with 3, wrong parameters with 2, in the words of the API', async () => {
    const busy = new NameBusyError({ what: '(server)--is deploying', deploymentId: JOB });
    for (const [refuse, code] of [
      [busy, 3],
      [new ParameterError({ what: 'full="3" is not allowed' }), 2],
    ] as const) {
      await using api = await startStubApi({ events: sampleJournal(JOB), refuse });
      const result = await rex(['deploy', '--k', 'server', '--server', api.url, '--token', api.token]);
      expect(result).toMatchObject({ code, stdout: '' });
      expect(result.stderr).toContain(refuse.what);
    }
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const stranger = await rex(['status', JOB, '--server', api.url, '--token', 'wrong']);
    expect(stranger).toMatchObject({ code: 3, stderr: expect.stringContaining('give a valid token with --token') });
  });

  test('an API that is not there, or is another program, ends with 4', async () => {
    const away = await rex(['status', JOB, '--server', 'http://127.0.0.1:1', '--token', 'x']);
    expect(away).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('ECONNREFUSED') });
    await using redis = { server: await startRedis(), [Symbol.asyncDispose]: () => redis.server.close() };
    const other = await rex(['status', JOB, '--server', `http://127.0.0.1:${redis.server.port}`, '--token', 'x']);
    expect(other.code).toBe(4);
  });

  test('no token and no address are told before anything is asked', async () => {
    expect(await rex(['list'])).toMatchObject({ code: 2, stderr: expect.stringContaining('no token') });
    expect((await rex(['list', '--token', 'x', '--server', 'ftp://x'])).code).toBe(2);
    await writeConfig();
    expect((await rex(['list', '--token', 'x'])).stderr).toContain('api.port is 0');
    expect((await rex(['deploy', '--k', 'a', '--senv', 'uat', '--url', 'http://x', '--token', 'x'])).code).toBe(2);
  });
});

describe('rex and the real API', () => {
  let redis: RedisServer;
  let api: Api;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(() => api.stop());
  afterAll(() => redis.close());

  test('a job is started, listed, refused a second time, followed live and shown', async () => {
    await writeConfig({ redis: redis.url });
    api = await startApi({ config: join(dir, 'config.yml') });
    const { token } = JSON.parse((await rex(['token', 'create', '--name', 'ci', '--json'])).stdout);
    const env = { REX_SERVER: api.url, REX_TOKEN: token };
    const started = await rex(['deploy', '--k', 'server', '--senv', 'uat', '--detach'], env);
    expect(started).toMatchObject({ code: 0, stderr: '' });
    const id = started.stdout.trim();
    expect((await rex(['list'], env)).stdout).toContain(id);
    const second = await rex(['deploy', '--k', 'server1', '--senv', 'uat'], env);
    expect(second).toMatchObject({ code: 3, stderr: expect.stringContaining(`rex watch ${id}`) });
    expect((await rex(['deploy', '--k', 'nobody', '--senv', 'uat'], env)).code).toBe(3);
    expect((await rex(['deploy', '--k', 'server', '--senv', 'prod'], env)).code).not.toBe(0);

    const watching = rex(['watch', id, '--json'], env);
    await endAsWorker(id);
    const watched = await watching;
    expect(watched).toMatchObject({ code: 1 });
    expect(watched.stderr).toContain('a word on the way');
    const shown = await rex(['status', id, '--json'], env);
    expect(JSON.parse(shown.stdout)).toEqual(JSON.parse(watched.stdout));
  });

  async function endAsWorker(id: string): Promise<void> {
    const client = openRedis(redis.url, 'request', () => undefined);
    await whenReady(client, 2_000);
    const journal = await claim(client, new Keys('rex'), id, 'test');
    await journal?.append({ type: 'log', level: 'info', message: 'a word on the way' });
    await journal?.append({
      type: 'finished',
      state: 'failed',
      error: { code: 'internal', what: 'ended by the test' },
    });
    client.disconnect();
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
