import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import { bombTarGz, evilTar, evilZip } from '@rexdeploy/sandbox/evil-archives';
import { startChild } from '@rexdeploy/sandbox/process';
import { dump } from 'js-yaml';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ApiUnderTest, configOf, multipart } from './api/api-under-test.js';

/** Everything wrong that a caller can send, and what it gets. What only fetching a `url` can tell fails the deployment. */

let api: ApiUnderTest;
let ownPackage = '';
let configPackage = '';
/** How much of the log was looked at. */
let logged = 0;

beforeAll(async () => {
  api = await ApiUnderTest.start();
  ownPackage = await upload('shop', []);
  configPackage = await upload('server', [
    { name: 'kind', value: 'config' },
    { name: 'instance', value: 'server1' },
  ]);
});
afterAll(() => api.close());

/** Whatever was sent: nothing was started, nothing is left, no stack was shown, and the process lives. */
afterEach(async () => {
  expect(await api.enqueued()).toEqual({ deployments: [], tickets: 0 });
  expect(await api.leftovers()).toEqual([]);
  expect(api.api.child.isRunning()).toBe(true);
  expect((await api.call('/healthz', { token: null })).status).toBe(200);
  const log = api.log();
  expect(log.slice(logged).split('\n').filter(tellsStack)).toEqual([]);
  logged = log.length;
});

/** A stack trace, be it bare or inside a JSON line. */
const tellsStack = (line: string): boolean => /(^|\\n)\s+at /.test(line);

const GOOD = 'action=deploy&k=server&senv=uat';
const deploy = (more: string) => () => api.rex(`action=deploy&${more}`);
const json = (body: string) => () => api.rex(body, { headers: { 'content-type': 'application/json' } });
const LONG_K = 'x'.repeat(5000);

type Row = [title: string, send: () => Promise<Answer>, status: number, ...says: (string | RegExp)[]];

const requests: Row[] = [
  ['an empty body', () => api.rex(''), 400, 'post参数为空'],
  ['no body and no type', () => api.call('/rex', { method: 'POST' }), 400, 'post参数为空'],
  ['an empty JSON body', json(''), 400, 'post参数为空'],
  ['a JSON body without parameters', json('{}'), 400, 'post参数为空'],
  ['no action', () => api.rex('k=server'), 400, 'action参数不能为空'],
  ['an empty action', () => api.rex('action=&k=server'), 400, 'action参数不能为空'],
  ['an unknown action', () => api.rex('action=destroy&k=server'), 400, '不支持的action参数: destroy'],
  ['no k', () => api.rex('action=deploy'), 400, '当执行 deploy 模块时,post参数为空,必须传参: k'],
  ['an unknown parameter', () => api.rex(`${GOOD}&frob=1`), 400, 'unknown parameter \\"frob\\"'],
  ['a parameter called __proto__', json('{"action":"deploy","k":"server","__proto__":"x"}'), 400, '__proto__'],
  ['a repeated parameter', () => api.rex(`${GOOD}&k=shop`), 400, '\\"k\\" is given more than once'],
  [
    'a parameter in address and body',
    () => api.call('/rex?k=shop', post(GOOD)),
    400,
    '\\"k\\" is given more than once',
  ],
  [
    'a repeated key of a JSON body',
    json('{"action":"deploy","k":"server","k":"shop"}'),
    400,
    '\\"k\\"',
    'more than once',
  ],
  [
    'several faults at once',
    deploy('k=server&full=9&wait=x&a=1'),
    400,
    'full',
    '9',
    'wait',
    'unknown parameter \\"a\\"',
  ],
  ['hold', () => api.rex(`${GOOD}&hold=yes`), 400, 'hold', '0 or 1'],
  ['plan', () => api.rex(`${GOOD}&plan=abc`), 400, 'plan', 'the hash that a dry run printed'],
  ['on_failure', () => api.rex(`${GOOD}&on_failure=panic`), 400, 'on_failure', 'rollback, rollback_all or halt'],
  ['a list in place of a text', json('{"action":"deploy","k":["server"]}'), 400, 'k is a list', 'expected a text'],
  ['an object in place of a text', json('{"action":"deploy","k":{"a":1}}'), 400, 'k is an object', 'expected a text'],
  ['null in place of a text', json('{"action":"deploy","k":null}'), 400, 'k is null', 'expected a text'],
  ['true in place of a text', json('{"action":"deploy","k":"server","dry_run":true}'), 400, 'dry_run is true'],
  ['a broken number in place of a text', json('{"action":"deploy","k":"server","wait":1.5}'), 400, 'wait is 1.5'],
  ['a JSON body that is a list', json('[1]'), 400, 'the body is a list', 'expected a JSON object'],
  ['a JSON body that is a text', json('"deploy"'), 400, 'expected a JSON object'],
  ['malformed JSON', json('{"action":"deploy",'), 400, 'the body is not JSON'],
  ['broken percent-encoding', () => api.rex('action=deploy&k=%ZZ'), 400, '%ZZ', 'broken percent-encoding'],
  ['broken percent-encoding of UTF-8', () => api.rex('action=deploy&k=%ff'), 400, '%ff', 'broken percent-encoding'],
  ['broken percent-encoding of a name', () => api.rex('%E=1&action=deploy'), 400, '%E', 'broken percent-encoding'],
  ['broken percent-encoding in the address', () => api.call('/rex?k=%', post('action=deploy')), 400, 'broken percent'],
  ['broken percent-encoding in the path', () => api.call('/jobs/%ZZ'), 400, 'broken percent-encoding'],
  ['a body of 10 MB', () => api.rex(`action=deploy&k=${'x'.repeat(10_000_000)}`), 413, '1048576'],
  ['a body of 10 MB in pieces', () => api.call('/rex', { ...post(''), body: pieces(10) }), 413, '1048576'],
  ['a body of 10 MB of JSON', json(`{"k":"${'x'.repeat(10_000_000)}"}`), 413, '1048576'],
  [
    'a text body',
    () => api.call('/rex', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: GOOD }),
    415,
    'text/plain',
  ],
  [
    'an XML body',
    () => api.call('/rex', { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' }),
    415,
    'text/xml',
    'application/json',
  ],
  [
    'a multipart body',
    () => api.call('/rex', { method: 'POST', ...multipart([{ name: 'k', value: 'server' }]) }),
    415,
    'multipart',
  ],

  ...[
    "'",
    '"',
    ';',
    '\n',
    '\r\n',
    '\0',
    '\t',
    '`id`',
    '$(id)',
    '../',
    '/',
    '|',
    '&',
    '名字',
    'ｓｅｒｖｅｒ',
    '%2e',
    '*',
    '-rf',
  ].map(
    (text): Row => [
      `k with ${JSON.stringify(text)}`,
      () => api.rex({ action: 'deploy', k: `server${text}x`.replace('server-', '-'), senv: 'uat' }),
      400,
      'is not a name',
    ],
  ),
  ['k of 5,000 characters', () => api.rex({ action: 'deploy', k: LONG_K, senv: 'uat' }), 400, 'xxx', 'at most'],
  ['an empty k', deploy('k=&senv=uat'), 400, 'k=\\"\\"'],
  ['a blank k', deploy('k=+&senv=uat'), 400, 'k='],
  ['an unknown name', deploy('k=nothing&senv=uat'), 404, '\\"nothing\\"', 'names are: server, shop, bare'],
  ['an unknown instance', deploy('k=server1+server9&senv=uat'), 404, '\\"server9\\"'],
  ['an instance of another name', deploy('k=server1+shop1&senv=uat'), 400, 'server1 of server', 'shop1 of shop'],
  ['a name and an instance', deploy('k=server+server1&senv=uat'), 400, 'server'],
  ['an instance twice', deploy('k=server1+server1&senv=uat'), 400, '\\"server1\\" twice'],

  ['an unknown environment', deploy('k=server&senv=mars'), 404, '\\"mars\\"', 'allowed: uat, empty'],
  ['an environment that is not allowed', deploy('k=server&senv=staging'), 400, '\\"staging\\"', 'allowed: uat, empty'],
  ['the own environment', deploy('k=server&senv=prod'), 400, '\\"prod\\"', 'environment that is deployed to'],
  ['an environment without the name', deploy('k=server&senv=empty'), 404, '\\"empty\\"', '\\"server\\"'],
  ['an empty environment', deploy('k=server&senv='), 400, 'senv=\\"\\"'],
  ['an environment with a line break', deploy('k=server&senv=u%0Aat'), 404, 'u\\\\nat'],
  ['two sources', deploy('k=server&senv=uat&url=http://10.0.0.3/a.tar'), 400, 'senv=\\"uat\\" and url='],
  ['three sources', deploy('k=server&senv=uat&url=http://10.0.0.3/a&package=x'), 400, 'package=\\"x\\"'],
  ['no source at all', deploy('k=bare'), 400, 'nothing to deploy', 'POST /packages'],
  ['full without a source', deploy('k=bare&full=2'), 400, 'full=2', 'nothing was uploaded'],
  ['full=3', deploy('k=server&senv=uat&full=3'), 400, 'full=\\"3\\"', '1 (incremental) or 2 (full)'],
  ['full=', deploy('k=server&senv=uat&full='), 400, 'full=\\"\\"'],
  ['dry_run=yes', deploy('k=server&senv=uat&dry_run=yes'), 400, 'dry_run=\\"yes\\"', '0 or 1'],
  ['sprint=2', deploy('k=server&senv=uat&sprint=2'), 400, 'sprint=\\"2\\"', '0 or 1'],
  ['wait=soon', deploy('k=server&senv=uat&wait=soon'), 400, 'wait=\\"soon\\"', 'at most 3600'],
  ['wait=-1', deploy('k=server&senv=uat&wait=-1'), 400, 'wait=\\"-1\\"'],
  ['wait=3601', deploy('k=server&senv=uat&wait=3601'), 400, 'wait=\\"3601\\"', 'at most 3600'],
  ['sha256 without url', deploy(`k=server&senv=uat&sha256=${'a'.repeat(64)}`), 400, 'sha256', 'url only'],
  ['a short sha256', deploy('k=server&url=http://10.0.0.3/a&sha256=abc'), 400, 'sha256=\\"abc\\"', '64 hexadecimal'],
  ['an empty Idempotency-Key', () => api.rex(GOOD, { headers: { 'idempotency-key': '' } }), 400, 'Idempotency-Key'],
  ['a long Idempotency-Key', () => api.rex(GOOD, { headers: { 'idempotency-key': 'x'.repeat(256) } }), 400, '255'],

  ['a url that is none', deploy('k=server&url=nonsense'), 400, 'url=\\"nonsense\\"', 'http:// or https://'],
  ['a url of another kind', deploy('k=server&url=ftp://10.0.0.3/a.tar'), 400, 'ftp://', 'http:// or https://'],
  ['a url of a file', deploy('k=server&url=file:///etc/passwd'), 400, 'file:///etc/passwd', 'http:// or https://'],
  ['a url with a line break', deploy('k=server&url=http://10.0.0.3/a%0Ab'), 400, 'http:// or https://'],
  ['a url with a password', deploy('k=server&url=http://u:secret@10.0.0.3/a'), 400, 'user name and password'],
  ['a url of another host', deploy('k=server&url=http://10.0.0.4/a.tar'), 400, '10.0.0.4', 'allow_hosts', '10.0.0.3'],
  ['a url of a domain itself', deploy('k=server&url=http://example.com/a'), 400, 'example.com', 'allow_hosts'],
  ['a url of a look-alike host', deploy('k=server&url=http://evilexample.com/a'), 400, 'evilexample.com'],
  ['a url of the same host by number', deploy('k=server&url=http://0x7f.1/a'), 400, '127.0.0.1', 'allow_hosts'],
  ['an unknown package', deploy('k=server&package=pkg-01ARZ3NDEKTSV4RRFFQ69G5FAV'), 404, 'no such package'],
  ['a malformed package', deploy('k=server&package=../x'), 400, 'package=\\"../x\\"', 'id of an uploaded package'],
  ['a package of another name', () => api.rex(`action=deploy&k=server&package=${ownPackage}`), 400, 'for \\"shop\\"'],
  [
    'a configuration for a whole name',
    () => api.rex(`action=deploy&k=server&package=${configPackage}`),
    400,
    'k=server1',
  ],
  [
    'a configuration of another instance',
    () => api.rex(`action=deploy&k=server2&package=${configPackage}`),
    400,
    'k=server1',
  ],

  ['no token', () => api.rex(GOOD, { token: null }), 401, 'token校验不通过', 'no token'],
  ['a malformed token', () => api.rex(GOOD, { token: 'abc' }), 401, 'token校验不通过', 'unknown'],
  ['an unknown token', () => api.rex(GOOD, { token: `1527665686${'a'.repeat(32)}` }), 401, 'unknown'],
  ['an expired token', async () => api.rex(GOOD, { token: await expiredToken() }), 401, 'expired'],
  ['a revoked token', async () => api.rex(GOOD, { token: await revokedToken() }), 401, 'revoked'],
  ['an unknown path', () => api.call('/nothing'), 404, 'GET \\"/nothing\\"'],
  ['a wrong method', () => api.call('/rex'), 404, 'GET \\"/rex\\"'],
  ['an unknown job', () => api.call('/jobs/dep-nothing'), 404, '\\"dep-nothing\\"'],
  ['a malformed job', () => api.call('/jobs/a%2Fb%00'), 404, 'no job'],
  ['events of an unknown job', () => api.call('/jobs/dep-nothing/events'), 404, '\\"dep-nothing\\"'],
  ['an unknown state', () => api.call('/jobs?state=lost'), 400, 'state=\\"lost\\"', 'queued or running'],
  ['limit=0', () => api.call('/jobs?limit=0'), 400, 'limit=\\"0\\"', 'from 1 to 200'],
  ['limit=201', () => api.call('/jobs?limit=201'), 400, 'limit=\\"201\\"', 'from 1 to 200'],
  ['limit twice', () => api.call('/jobs?limit=1&limit=2'), 400, '\\"limit\\" is given more than once'],
  ['an unknown cursor', () => api.call('/jobs?cursor=dep-nothing'), 400, 'cursor=\\"dep-nothing\\"'],
  ['history of an unknown name', () => api.call('/jobs?k=nothing'), 404, '\\"nothing\\"'],
  ['an unknown query', () => api.call('/names?a=1'), 400, 'unknown parameter \\"a\\"'],
  ['the table of an unknown name', () => api.call('/names/nothing'), 404, '\\"nothing\\"'],
  ['packages of an unknown name', () => api.call('/packages?k=nothing'), 404, '\\"nothing\\"'],
];

test.each(requests)('%s is refused', async (_title, send, status, ...says) => {
  await refused(await send(), status, says);
});

type Part = Parameters<typeof multipart>[0][number];
const K: Part = { name: 'k', value: 'server' };
const sends =
  (...parts: Part[]) =>
  () =>
    send(...parts);
const file = (value: Buffer | string): Part => ({ name: 'file', value, filename: 'app.tar.gz' });

const uploads: Row[] = [
  ['no multipart', () => api.call('/packages', post(GOOD)), 415, 'multipart/form-data'],
  ['no body', () => api.call('/packages', { method: 'POST' }), 415, 'multipart/form-data'],
  [
    'no boundary',
    () => api.call('/packages', { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' }),
    400,
    'multipart',
  ],
  ['a form that ends early', () => api.call('/packages', cut(multipart([K, file('x'.repeat(500))]))), 400, 'multipart'],
  ['no file', sends(K), 400, 'missing: file'],
  ['no k', async () => send(file(await archive())), 400, 'missing: k'],
  ['an unknown field', async () => send(K, { name: 'frob', value: '1' }, file(await archive())), 400, '\\"frob\\"'],
  [
    'an unknown field after the file',
    async () => send(K, file(await archive()), { name: 'frob', value: '1' }),
    400,
    'frob',
  ],
  ['a repeated field', async () => send(K, K, file(await archive())), 400, '\\"k\\" is given more than once'],
  ['a field called __proto__', async () => send(K, { name: '__proto__', value: '1' }, file(await archive())), 400],
  [
    'two files',
    async () => send(K, file(await archive()), file(await archive())),
    400,
    '\\"file\\" is given more than once',
  ],
  ['a file of another name', async () => send(K, { ...file(await archive()), name: 'blob' }), 400, '\\"blob\\"'],
  ['a text in place of the file', sends(K, { name: 'file', value: 'x' }), 400, '\\"file\\" came as a text'],
  [
    'a huge field',
    async () => send({ name: 'k', value: 'x'.repeat(10_000) }, file(await archive())),
    400,
    '\\"k\\"',
    '4096',
  ],
  ['an unknown name', async () => send({ name: 'k', value: 'nothing' }, file(await archive())), 404, '\\"nothing\\"'],
  [
    'an instance as name',
    async () => send({ name: 'k', value: 'server1' }, file(await archive())),
    404,
    '\\"server1\\"',
  ],
  ['a name with ../', async () => send({ name: 'k', value: '../server' }, file(await archive())), 400, '../server'],
  [
    'an unknown kind',
    async () => send(K, { name: 'kind', value: 'other' }, file(await archive())),
    400,
    'program or config',
  ],
  [
    'a configuration of no instance',
    async () => send(K, { name: 'kind', value: 'config' }, file(await archive())),
    400,
    'missing: instance',
  ],
  [
    'an instance for a program',
    async () => send(K, { name: 'instance', value: 'server1' }, file(await archive())),
    400,
    'kind=config',
  ],
  [
    'a configuration of an unknown instance',
    async () => send(K, ...configOfInstance('shop1'), file(await archive())),
    404,
    'shop1',
  ],
  [
    'a configuration where there is none',
    async () => send({ name: 'k', value: 'shop' }, ...configOfInstance('shop1'), file(await archive())),
    400,
    'config_dir',
  ],
  [
    'another digest',
    async () => send(K, { name: 'sha256', value: 'a'.repeat(64) }, file(await archive())),
    400,
    'aaaa',
    'the file that came has',
  ],
  [
    'a malformed digest',
    async () => send(K, { name: 'sha256', value: 'xyz' }, file(await archive())),
    400,
    'xyz',
    '64 hexadecimal',
  ],
  ['no archive', sends(K, file('this is no archive')), 400],
  ['an empty file', sends(K, file('')), 400],
  ['more than max_bytes', sends(K, file(Buffer.alloc(2_000_000))), 413, '512K'],
  ['far more than max_bytes', sends(K, file(Buffer.alloc(10_000_000))), 413, '512K'],
  ['a bomb', async () => send(K, file(await made('bomb.tar.gz', (path) => bombTarGz(path, 50_000_000)))), 413, '512K'],
  [
    'an expired token',
    async () => api.call('/packages', { method: 'POST', ...multipart([K, file('x')]), token: await expiredToken() }),
    401,
  ],
  [
    'a token that only reads',
    async () => api.call('/packages', { method: 'POST', ...multipart([K, file('x')]), token: await viewerToken() }),
    403,
    'viewer',
  ],
  ...(
    [
      'parent',
      'hidden-parent',
      'absolute',
      'symlink-out',
      'symlink-absolute',
      'hardlink-out',
      'device',
      'fifo',
      'duplicate',
      'through-symlink',
    ] as const
  ).map(
    (kind): Row => [
      `a tar with ${kind}`,
      async () => send(K, file(await made(`${kind}.tar`, (path) => evilTar(path, kind)))),
      400,
      { device: 'device', fifo: 'pipe', duplicate: 'same.txt', 'through-symlink': 'dir' }[kind as string] ??
        /rex-evil-mark|link/,
    ],
  ),
  ...(['parent', 'absolute', 'symlink-out', 'truncated'] as const).map(
    (kind): Row => [
      `a zip with ${kind}`,
      async () => send(K, file(await made(`${kind}.zip`, (path) => evilZip(path, kind)))),
      400,
    ],
  ),
];

test.each(uploads)('an upload with %s is refused', async (_title, send, status, ...says) => {
  await refused(await send(), status, says);
  expect((await api.call('/packages?k=server')).body.data.data).not.toHaveProperty('1');
});

test('an upload that breaks off leaves nothing', async () => {
  const { body, headers } = multipart([K, file(Buffer.alloc(50_000, 'x'))]);
  const { hostname, port } = new URL(api.api.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /packages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\n` +
      `Content-Type: ${headers['content-type']}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, 20_000));
  await expect.poll(() => api.leftovers()).not.toEqual([]);
  socket.destroy();
  await expect.poll(() => api.leftovers()).toEqual([]);
});

test('a client that sends all of a refused body before it reads still gets the answer', async () => {
  const { hostname, port } = new URL(api.api.url);
  const socket = connect(Number(port), hostname);
  const body = Buffer.alloc(10_000_000, 'x');
  socket.pause();
  socket.write(
    `POST /rex?token=${api.token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(body, () => resolve());
  });
  const [answer] = await once(socket.resume(), 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 413 /);
  socket.destroy();
});

test('what is not HTTP is answered in the documented shape', async () => {
  const { hostname, port } = new URL(api.api.url);
  const socket = connect(Number(port), hostname);
  socket.write('NONSENSE\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1.1 400 /);
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ code: '-1', respon: { ret: '1' } });
});

/** A config.yml that is wrong: the API says where, what it found and what it expected, and ends. */
describe('a config.yml', () => {
  type Change = (config: Record<string, never> & ReturnType<typeof configOf>) => unknown;
  const changed = (change: Change) => () => {
    const config = configOf('redis://127.0.0.1:1');
    return dump(change(config as never) ?? config);
  };
  const rows: [title: string, text: () => string | undefined, ...says: string[]][] = [
    ['that is missing', () => undefined, '(file)', 'ENOENT', 'a readable config.yml'],
    ['that is no YAML', () => 'a: [1,\nb: }', 'line 2', 'expected YAML'],
    ['with an unknown key', changed((c) => ({ ...c, frob: 1 })), 'frob: found the key "frob"', 'no such key'],
    [
      'with an instance key of two names',
      changed((c) => {
        const names = c.environments.prod.names as Record<string, { instances: Record<string, unknown> }>;
        if (names.shop) names.shop.instances = { server1: { host: '192.0.2.9', program_dir: '/data/www/x' } };
      }),
      'environments.prod.names.shop.instances.server1',
      'already an instance of "server"',
      'a key of its own',
    ],
    [
      'with a repeated instance',
      () => dump(configOf('redis://127.0.0.1:1')).replace('          server2:', '          server1:'),
      'duplicated mapping key',
    ],
    [
      'with a batch of an unknown instance',
      changed((c) => {
        c.environments.prod.names.server.rollout = ['server1', 'server2', 'server9'];
      }),
      'environments.prod.names.server.rollout.2',
      '"server9"',
      'one of server1, server2',
    ],
    [
      'with two instances in one directory',
      changed((c) => {
        c.environments.prod.names.server.instances.server2 = {
          ...c.environments.prod.names.server.instances.server1,
          config_dir: '/data/www/config2',
        };
      }),
      'instances.server2',
      '192.0.2.1:/data/www/html1',
      'a directory of its own',
    ],
  ];

  test.each(rows)('%s is refused', async (_title, text, ...says) => {
    const path = join(api.dir, 'wrong.yml');
    const content = text();
    if (content !== undefined) await writeFile(path, content);
    const child = await startChild({
      name: 'api',
      command: process.execPath,
      args: [new URL('../apps/api/dist/bundle/main.js', import.meta.url).pathname],
      env: { ...process.env, REX_CONFIG: content === undefined ? join(api.dir, 'none.yml') : path },
    });
    expect(await child.closed).toEqual({ code: 1, signal: null });
    for (const said of says) expect(child.tail()).toContain(said);
    expect(child.tail()).not.toMatch(/^\s+at /m);
  });
});

async function refused(answer: Answer, status: number, says: readonly (string | RegExp)[]): Promise<void> {
  expect({ status: answer.status, msg: answer.body.msg }).toMatchObject({ status, msg: expect.any(String) });
  const { code, msg, data, respon, parseparameters } = answer.body;
  expect({ code, data: data.code, ret: respon.ret, stderr: respon.stderr }).toEqual({
    code: '-1',
    data: '-1',
    ret: '1',
    stderr: msg,
  });
  expect(parseparameters.code).toBe(status === 400 ? '-1' : '0');
  if (status === 400) expect(msg).toMatch(/^校验和解析参数失败: /);
  const shown = JSON.stringify(msg);
  for (const said of says) {
    if (typeof said === 'string') expect(shown).toContain(said);
    else expect(shown).toMatch(said);
  }
  expect(answer.text).not.toMatch(/\\n\s+at |node_modules|\.js:\d/);
  expect(answer.text).not.toContain(api.token);
}

const post = (body: string) => ({
  method: 'POST' as const,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body,
});

async function* pieces(megabytes: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < megabytes; i += 1) yield Buffer.alloc(1_000_000, 'x');
}

const cut = ({ body, headers }: ReturnType<typeof multipart>) => ({
  method: 'POST' as const,
  headers,
  body: body.subarray(0, body.length - 100),
});

const configOfInstance = (instance: string): Part[] => [
  { name: 'kind', value: 'config' },
  { name: 'instance', value: instance },
];

const send = (...parts: Part[]) => api.call('/packages', { method: 'POST', ...multipart(parts) });

/** A file made by a helper that takes its path. */
async function made(name: string, make: (path: string) => Promise<void>): Promise<Buffer> {
  const path = join(api.dir, name);
  await make(path);
  return readFile(path);
}

/** A good archive: one small file. */
async function archive(): Promise<Buffer> {
  const tree = join(api.dir, 'tree');
  await mkdir(tree, { recursive: true });
  await writeFile(join(tree, 'hello.txt'), 'hello');
  return made('good.tar.gz', (path) => tarGz(tree, path));
}

async function upload(k: string, more: Part[]): Promise<string> {
  const answer = await send({ name: 'k', value: k }, ...more, file(await archive()));
  expect(answer.status, answer.text).toBe(200);
  return String(answer.body.data.package);
}

let made_ = 0;
const tokenName = () => `extra-${++made_}`;
const expiredToken = () => api.tokens.create({ name: tokenName(), expiresMs: Date.now() - 1000 });
const viewerToken = () => api.tokens.create({ name: tokenName(), role: 'viewer' });
async function revokedToken(): Promise<string> {
  const name = tokenName();
  const token = await api.tokens.create({ name });
  await api.tokens.revoke(name);
  return token;
}
