import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { parseConfig } from '@rexdeploy/shared/config/load';
import { ConfigError } from '@rexdeploy/shared/errors/config-error';
import { createCheck } from '@rexdeploy/worker/health/create';
import { waitUntilHealthy } from '@rexdeploy/worker/health/wait';
import { describe, expect, onTestFinished } from 'vitest';
import { type Stand, type StandOptions, standForAll, test } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };
const noHost = () => Promise.reject(new Error('no host is asked here'));

/** The check as `config.yml` gives it, of an instance on the loopback; the levels as text, outermost first. */
function healthOf(environment: string, name = '', instance = '') {
  const level = (section: string) => (section === '' ? '' : `health: ${section}`);
  const text = `
env: { key: prod }
environments:
  prod:
    ssh: { user: deploy, private_key: key }
    ${level(environment)}
    names:
      server:
        ${level(name)}
        instances: { server1: { host: 127.0.0.1, program_dir: /srv/app, ${level(instance)} } }
`;
  const health = parseConfig(text, '/etc/rex/config.yml', {}).own.names.get('server')?.instances.get('server1')?.health;
  if (health === undefined) throw new Error('no health check');
  return health;
}

function issuesOf(...levels: [string, string?, string?]) {
  try {
    healthOf(...levels);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path, found }) => `${path}: ${found}`);
    throw error;
  }
  return [];
}

/** A real server that answers as it is told, one status after another. */
async function answering(...statuses: number[]) {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    response.writeHead(statuses[asked.length - 1] ?? statuses.at(-1) ?? 200).end('all is well');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { asked, port, url: `http://127.0.0.1:${port}/` };
}

const waitFor = (url: string, health: ReturnType<typeof healthOf>) =>
  waitUntilHealthy(createCheck(url, health, noHost), health, AbortSignal.timeout(20_000));

describe('waiting', () => {
  test('takes one healthy answer, as ever, in the documented short form', async () => {
    const { url, asked } = await answering(503, 503, 200);
    const short = `{ url: "${url}", status: 200, contains: well, delay: 1ms, interval: 1ms, attempts: 3 }`;
    expect(await waitFor(url, healthOf(short))).toBe(3);
    expect(asked).toHaveLength(3);
  });

  test('fails after `attempts` with what was seen last', async () => {
    const { url, asked } = await answering(503);
    const waiting = waitFor(url, healthOf(`{ url: "${url}", interval: 1ms, attempts: 3 }`));
    await expect(waiting).rejects.toThrow('not healthy after 3 attempts; last: status 503, expected 200: all is well');
    expect(asked).toHaveLength(3);
  });

  test('an instance that flaps needs its successes in a row', async () => {
    const { url } = await answering(200, 503, 200, 200, 503, 200, 200, 200);
    expect(await waitFor(url, healthOf(`{ url: "${url}", interval: 1ms, successes: 3 }`))).toBe(8);
  });

  test('a row that has begun with the last attempt may end, and a broken one has failed', async () => {
    const calm = await answering(503, 200);
    expect(await waitFor(calm.url, healthOf(`{ url: "${calm.url}", interval: 1ms, attempts: 2, successes: 3 }`))).toBe(
      4,
    );
    const flapping = await answering(503, 200, 503, 200);
    const waiting = waitFor(
      flapping.url,
      healthOf(`{ url: "${flapping.url}", interval: 1ms, attempts: 2, successes: 2 }`),
    );
    await expect(waiting).rejects.toThrow('not healthy 2 times in a row after 3 attempts');
  });
});

describe('kinds', () => {
  test('url sends its headers', async () => {
    const { url, asked } = await answering(200);
    await waitFor(url, healthOf(`{ url: "${url}", headers: { x-probe: "a \\"b\\"", Host: app.example } }`));
    expect(asked[0]).toMatchObject({ 'x-probe': 'a "b"', host: 'app.example' });
  });

  test('tcp needs a port that accepts connections', async () => {
    const { port } = await answering(200);
    expect(await waitFor(`tcp://127.0.0.1:${port}`, healthOf(`{ tcp: "{host}:${port}" }`))).toBe(1);
    const waiting = waitFor('tcp://127.0.0.1:1', healthOf('{ tcp: "{host}:1", attempts: 2, interval: 1ms }'));
    await expect(waiting).rejects.toThrow(/not healthy after 2 attempts; last: .*ECONNREFUSED/);
  });

  test('the innermost level decides, and keys of another kind further outside mean nothing to it', () => {
    const health = healthOf('{ url: "http://{host}/", status: 204, attempts: 7 }', '', '{ command: "true" }');
    expect(health).toMatchObject({ kind: 'command', command: 'true', attempts: 7, status: 200 });
    expect(healthOf('{ command: "true" }', '{ url: "http://{host}/" }')).toMatchObject({ kind: 'url', command: '' });
  });

  test('two kinds in one place, none, and keys of another kind are faults', () => {
    const at = 'environments.prod';
    expect(issuesOf('{ url: "http://h/", tcp: "h:1" }')).toEqual([`${at}.health.tcp: the key "tcp"`]);
    expect(issuesOf('{ attempts: 3 }')).toEqual([`${at}.health.url: nothing`]);
    expect(issuesOf('{ tcp: "h:1" }', '{ status: 200 }')).toEqual([
      `${at}.names.server.health.status: the key "status"`,
    ]);
    expect(issuesOf('{ tcp: "no port" }')).toEqual([`${at}.health.tcp: "no port"`]);
    expect(issuesOf('{ url: "http://h/", headers: { a: "b\\nc" } }')).toEqual([`${at}.health.headers.a: "b\\nc"`]);
  });
});

/** The sandbox's config, with another health check for each instance, or other keys of it. */
const instances = (one: (index: number) => JsonObject): StandOptions => ({
  config: {
    environments: { prod: { names: { server: { instances: { server1: one(0), server2: one(1) } } } } },
  },
});

/** One fleet for most of it, with a name for each check. */
const standing = standForAll({
  fleet: { names: 5 },
  config: ({ names }) => {
    const of = (at: number, instance: JsonObject, more: JsonObject = {}): JsonObject => ({
      ...more,
      instances: Object.fromEntries((names[at]?.keys ?? []).map((key) => [key, instance])),
    });
    const log = { log: `${LOG_BASE}/{instance}/app *.log` };
    // Soon over for what stays unhealthy, and enough for a former release to come up on a machine that is busy.
    const health = { attempts: 40 };
    return {
      environments: {
        prod: {
          names: {
            server: of(0, commandHealth(LICENCE)),
            app2: of(1, commandHealth(`sleep ${MARK}`, { timeout: '300ms' })),
            app3: of(2, { health }, log),
            app4: of(3, {}, log),
            app5: of(4, { health }, log),
          },
        },
      },
    };
  },
});
const LICENCE = 'test "$REX_INSTANCE" = server1 && test -n "$REX_HOST" || { echo no; echo licence >&2; exit 7; }';
/** Found among the processes of the machine. */
const MARK = `86399.${process.pid}`;
/** `log` of the names, with a space and a wildcard in it. */
const LOG_BASE = `/tmp/rex-health-test-${process.pid}`;

describe('in a roll-out', () => {
  test('a command on the host is a gate: the release passes it, and what it says is the reason when it does not', async () => {
    const stand = standing();
    const { body } = await stand.client.deploy(DEPLOY);
    expect(body.msg).toMatch(
      /server2 failed at verify: .*not healthy after 2 attempts; last: exit code 7: no\nlicence/,
    );
    // Its bring-back is judged by the same command, which refuses server2 whatever runs there.
    expect(body.msg).toContain('server2 could NOT be brought back');
    expect((await stand.fleet.instance('server1').observe()).version).toBe('v2');
    expect((await stand.fleet.instance('server2').observe()).version).toBe('v1');
  });

  test('a command that hangs is ended, and leaves nothing behind', async () => {
    const stand = standing();
    const { body } = await stand.client.deploy({ ...DEPLOY, k: 'app2' });
    expect(body.msg).toContain('it did not end within 0.3 s');
    expect((await stand.fleet.hostOf('app2-1').ssh(`pgrep -fx 'sleep ${MARK}'`)).stdout).toBe('');
  });

  test('from: host asks from the host itself, with the headers, and holds the answer to the same rules', async ({
    start,
  }) => {
    const { url, asked } = await answering(200);
    const health = { url, from: 'host', contains: 'well', successes: 2, headers: { authorization: 'Bearer "x\\y"' } };
    const stand = await start(instances(() => ({ health })));
    expect((await stand.client.deploy(DEPLOY)).body.code).toBe('0');
    // Of the worker's own client there is no trace.
    expect(new Set(asked.map((headers) => headers['user-agent']?.split('/')[0]))).toEqual(new Set(['curl']));
    expect(new Set(asked.map((headers) => headers.authorization))).toEqual(new Set(['Bearer "x\\y"']));
  });

  test('from: host tells the status and what curl says', async ({ start }) => {
    const { url } = await answering(500);
    const of = (index: number) => (index === 0 ? 'http://127.0.0.1:1/' : url);
    const stand = await start(
      instances((index) => ({ health: { url: of(index), from: 'host', attempts: 2 }, balancer: { type: 'none' } })),
    );
    expect((await stand.client.deploy({ ...DEPLOY, k: 'server1' })).body.msg).toMatch(/exit code 93: curl: \(7\)/);
    expect((await stand.client.deploy({ ...DEPLOY, k: 'server2' })).body.msg).toContain('status 500, expected 200');
  });

  test('a failed health check tells the end of the newest log, bounded, in answer and journal', async () => {
    const stand = standing();
    setBehaviour(programOfUat(stand, 'app3'), { unhealthy: true });
    const folder = await putLogs(stand, 'app3-1');
    const { body } = await stand.client.deploy({ ...DEPLOY, k: 'app3' });
    expect(body.msg).toMatch(/app3-1 failed at verify: .*status 500, expected 200/);
    expect(body.msg).toContain(`last lines of ${folder}/app 2.log:\n`);
    const lines = body.msg?.split('\n') ?? [];
    expect(lines.filter((line) => line.startsWith('line '))).toEqual(
      Array.from({ length: 50 }, (_, at) => `line ${at + 51} of the app`),
    );
    expect(body.msg).not.toContain('\u001b');
    expect(body.msg).not.toContain('old news');
    expect(body.msg).toContain('app3-1 was brought back to its former release and weight');
    let failed: unknown;
    for await (const event of stand.client.events(body.job?.id ?? ''))
      if (event.type === 'step-failed') failed = event.data;
    expect(failed).toMatchObject({ step: 'verify', error: { what: expect.stringContaining('line 100 of the app') } });
  });

  test('a failed start tells it too: at most 8 KiB, also of one endless line', async () => {
    const stand = standing();
    setBehaviour(programOfUat(stand, 'app4'), { fail: 'start' });
    const folder = await putLogs(stand, 'app4-1');
    await stand.fleet.hostOf('app4-1').ssh(`head -c 100000 /dev/zero | tr '\\0' '\\377' > '${folder}/app 2.log'`);
    const { body } = await stand.client.deploy({ ...DEPLOY, k: 'app4' });
    expect(body.msg).toContain('app4-1 did not start');
    const [, log = ''] = /last lines of [^\n]*:\n([\s\S]*)\n\(end of the log\)/.exec(body.msg ?? '') ?? [];
    expect(Buffer.byteLength(log)).toBeGreaterThan(4_000);
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(8 * 1024);
  });

  test('a log that is not there is said, and hides nothing', async () => {
    const stand = standing();
    setBehaviour(programOfUat(stand, 'app5'), { unhealthy: true });
    const { body } = await stand.client.deploy({ ...DEPLOY, k: 'app5' });
    expect(body.msg).toContain('status 500, expected 200');
    expect(body.msg).toMatch(/\(no log to read at \/\S+\/app5-1\/app \*\.log\)/);
    // What the service itself said is told with it.
    expect(body.msg).toMatch(/\nlast output of the service:\n\S+ started\n\(end of the output\)/);
    expect(body.msg).toContain('app5-1 was brought back');
  });
});

/** Takes the place of the sandbox's own check by address; without a balancer the guard asks nobody. */
function commandHealth(command: string, more: Record<string, string> = {}) {
  return {
    balancer: { type: 'none' },
    health: { url: undefined, status: undefined, interval: '10ms', attempts: 2, ...more, command },
  };
}

async function putLogs({ fleet }: Stand, key: string): Promise<string> {
  const folder = `${LOG_BASE}/${key}`;
  const host = fleet.hostOf(key);
  onTestFinished(() => rmSync(LOG_BASE, { recursive: true, force: true }));
  await host.ssh(
    `mkdir -p ${folder} && cd ${folder} && echo old news > 'app 1.log' && touch -d '2 hours ago' 'app 1.log' &&
     for i in $(seq 100); do printf '\\033[31mline %s of the app\\033[0m\\r\\n' $i; done > 'app 2.log'`,
  );
  return folder;
}

const programOfUat = ({ fleet }: Stand, name: string): string => fleet.uatDirs.get(name)?.programDir ?? '';
