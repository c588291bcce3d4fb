import { existsSync } from 'node:fs';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Api, startApi } from '@rexdeploy/sandbox/controller';
import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { NameBusyError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import { claim } from '@rexdeploy/shared/journal/journal';
import { openRedis, whenReady } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';
import { sampleJournal } from './support/sample-journal.js';
import { startStubApi } from './support/stub-api.js';

const JOB = 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ';
const cli = rexInFolder();
const { rex, writeConfig } = cli;

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
    const lines = stdout.trim().split('\n');
    const end = JSON.parse(lines.pop() ?? '');
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    expect(stderr.split('\n').filter((line) => line.includes('the stream broke off'))).toHaveLength(4);
    const streams = api.requests.filter((request) => request.url.endsWith('/events'));
    expect(streams.map((request) => request.headers['last-event-id'])).toEqual([undefined, undefined, '3', '3', '7']);
    expect(end).toMatchObject({ type: 'end', code: '0', job: { id: JOB, state: 'succeeded' } });
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
    await writeFile(join(cli.dir, 'app.tgz'), 'content of an archive');
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

describe('where server and token come from', () => {
  test('flags come before the environment, the environment before ~/.config/rex/config.yml', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const file = join(cli.dir, '.config', 'rex', 'config.yml');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `server: ${api.url}\ntoken: ${api.token}\n`, { mode: 0o600 });
    expect(await rex(['list'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(JOB) });
    expect((await rex(['list'], { REX_TOKEN: 'wrong' })).code).toBe(3);
    expect(
      (await rex(['list', '--token', api.token], { REX_TOKEN: 'wrong', REX_SERVER: 'http://127.0.0.1:1' })).code,
    ).toBe(4);

    await chmod(file, 0o644);
    const open = await rex(['list']);
    expect(open).toMatchObject({ code: 0, stderr: expect.stringContaining(`run: chmod 600 ${file}`) });
    await writeFile(file, `sever: x\ntoken: ${api.token}\n`);
    const wrong = await rex(['list']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('sever') });
    expect(wrong.stderr).not.toContain(api.token);
  });

  test('login keeps a token that works, for its owner alone, and none that does not', async () => {
    await using api = await startStubApi({ events: sampleJournal(JOB) });
    const file = join(cli.dir, '.config', 'rex', 'config.yml');
    expect((await rex(['login', '--server', api.url, '--token', 'wrong'])).code).toBe(3);
    expect(existsSync(file)).toBe(false);
    expect(await rex(['login', '--server', api.url], {}, `${api.token}\n`)).toMatchObject({ code: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await rex(['list'])).toMatchObject({ code: 0, stderr: '' });
    expect((await rex(['login', '--server', api.url], {}, '\n')).code).toBe(2);
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

  test('a job is started, listed, refused a second time, followed live and shown', { timeout: 180_000 }, async () => {
    await writeConfig({ redis: redis.url });
    api = await startApi({ config: join(cli.dir, 'config.yml') });
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

    const waiting = await rex(['deploy', '--k', 'server1', '--senv', 'uat', '--when-busy', 'queue', '--detach'], env);
    expect(waiting).toMatchObject({ code: 0, stderr: '' });
    const seen = await rex(['status', waiting.stdout.trim()], env);
    expect(seen.stdout).toContain(`queued: waits for ${id} (server, queued)`);
    expect((await rex(['deploy', '--k', 'server', '--senv', 'uat', '--force'], env)).code).toBe(3);

    const watching = rex(['watch', id, '--json'], env);
    await endAsWorker(id);
    const watched = await watching;
    expect(watched).toMatchObject({ code: 1, stderr: '' });
    const events = watched.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toContainEqual(expect.objectContaining({ type: 'log', message: 'a word on the way' }));
    const { type, at: _, ...answer } = events.at(-1);
    expect(type).toBe('end');
    const shown = await rex(['status', id, '--json'], env);
    expect(JSON.parse(shown.stdout)).toEqual(answer);
  });

  async function endAsWorker(id: string): Promise<void> {
    const client = openRedis(redis.url, 'request', () => undefined);
    await whenReady(client, 30_000);
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
