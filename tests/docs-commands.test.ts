import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import { startChild } from '@rexdeploy/sandbox/process';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { Client } from './support/client.js';
import { type Block, blocksIn, pages, placeOf } from './support/pages.js';
import { type Stand, test } from './support/stand.js';

const REX = fileURLToPath(new URL('../apps/cli/bin/rex.js', import.meta.url));
/** For one page, on a machine that has much else to do. */
const PATIENCE_MS = 400_000;

/** The machines of the pages are those of the stand; the API is where that one listens. */
function onStand(text: string, { fleet, api, client }: Stand): string {
  const [host1, host2] = fleet.hosts;
  const places: [string, string | undefined][] = [
    ['http://127.0.0.1:3000', api.url],
    ['192.168.0.76', host1?.address],
    ['192.168.0.248', host2?.address],
    ['192.168.0.10', fleet.lb?.address],
    ['10.1.0.7', fleet.uat.address],
    // The token of the README, masked as everywhere.
    ['1795410889…dydj', client.token],
  ];
  return places.reduce((all, [shown, real]) => all.replaceAll(shown, real ?? shown), text);
}

/** Does what was only asked for, as with plain `curl`, before the next command comes. */
const SETTLE = `
settle() {
  for state in queued running; do
    while curl -s "$REX_SERVER/jobs?state=$state&limit=1" -H "Authorization: Bearer $SETTLE_TOKEN" | grep -q '"id"'; do sleep 0.2; done
  done
}`;

function scriptOf(blocks: readonly Block[], stand: Stand): string {
  const parts = blocks.map((block) => {
    const settle = block.text.includes('curl -X POST') ? 'settle\n' : '';
    return `echo '# ${placeOf(block)}'\n${onStand(block.text, stand)}${settle}`;
  });
  return `set -eu -o pipefail\n${SETTLE}\n${parts.join('\n')}`;
}

/** A folder as an operator has it: the config of the stand, keys, and \`rex\` behind \`npx\`. */
async function operatorsFolder(configFile: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rex-docs-'));
  for (const each of ['bin', 'keys', 'data']) await mkdir(join(dir, each));
  await copyFile(configFile, join(dir, 'config.yml'));
  const commands = { rex: `exec '${process.execPath}' '${REX}' "$@"`, npx: 'exec "$@"' };
  for (const [name, line] of Object.entries(commands)) {
    await writeFile(join(dir, 'bin', name), `#!/bin/sh\n${line}\n`);
    await chmod(join(dir, 'bin', name), 0o755);
  }
  return dir;
}

test('every command of the pages does what it should, through nginx in front as they show it', {
  timeout: 2 * PATIENCE_MS,
}, async ({ start }) => {
  const stand = await start();
  await using proxy = await startProxy(stand);
  await expectEventsAtOnce(new Client(proxy.url, stand.client.token));
  const seen = new Set<string>();
  const blocks = blocksIn('sh').filter(({ notRun, text }) => {
    // A page in another language shows the same ones.
    if (notRun !== undefined || seen.has(text)) return false;
    seen.add(text);
    return true;
  });
  for (const page of pages) {
    const own = blocks.filter((block) => block.page === page);
    if (own.length > 0) await runPage(page, own, stand, proxy.url);
  }
  // The pages end with a deployment or a rollback that succeeded: nothing is left out of rotation.
  expect((await stand.client.get('/drained')).body.data.data).toEqual({});
  expect(await readFile(proxy.errorLog, 'utf8')).toBe('');
});

/** In a folder of its own, block after block in one shell, which ends with the first command that fails. */
async function runPage(page: string, blocks: readonly Block[], stand: Stand, server: string): Promise<void> {
  const dir = await operatorsFolder(stand.configFile);
  try {
    const { REX_CONFIG: _, REX_ENV: __, ...inherited } = process.env;
    const { code, stdout, stderr } = await runCommand(findProgram('bash'), ['-c', scriptOf(blocks, stand)], {
      cwd: dir,
      timeoutMs: PATIENCE_MS,
      env: {
        ...inherited,
        PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH}`,
        HOME: dir,
        XDG_CONFIG_HOME: join(dir, '.config'),
        REX_SERVER: server,
        // As after `rex login`; a page that makes a token of its own uses that.
        REX_TOKEN: stand.client.token,
        SETTLE_TOKEN: stand.client.token,
      },
    });
    expect(code, `${page}\n${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`).toBe(0);
  } finally {
    await rm(dir, { recursive: true, force: true });
    await revokeTokens(stand);
  }
}

/** Each page begins without the tokens that the one before has made. */
async function revokeTokens({ redis }: Stand): Promise<void> {
  const connection = new Redis(redis.url);
  try {
    const tokens = new Tokens(connection, new Keys('rex'));
    for (const { name } of await tokens.list()) if (name !== 'tests') await tokens.revoke(name);
  } finally {
    connection.disconnect();
  }
}

/** The proxy of docs/operations.md, before the API of the stand. */
async function startProxy({ api }: Stand): Promise<AsyncDisposable & { url: string; errorLog: string }> {
  const block = blocksIn('nginx').find(({ page }) => page === 'docs/operations.md');
  const dir = await mkdtemp(join(tmpdir(), 'rex-proxy-'));
  const port = await findFreePort('127.0.0.1');
  const shown = (block?.text ?? '')
    .replace('127.0.0.1:3000', new URL(api.url).host)
    .replace(/listen \d+;/, `listen 127.0.0.1:${port};`);
  const user = process.getuid?.() === 0 ? 'user root root;\n' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${dir}/${kind};\n`,
  );
  const conf = `${user}daemon off;\npid ${dir}/pid;\nevents {}\nhttp {\naccess_log off;\n${temporary.join('')}${shown}}\n`;
  await writeFile(join(dir, 'nginx.conf'), conf);
  const errorLog = join(dir, 'error.log');
  const nginx = await startChild({
    name: 'nginx',
    command: findProgram('nginx'),
    args: ['-c', join(dir, 'nginx.conf'), '-p', `${dir}/`, '-e', errorLog],
    cwd: dir,
    ready: { address: '127.0.0.1', port },
  });
  return {
    url: `http://127.0.0.1:${port}`,
    errorLog,
    [Symbol.asyncDispose]: async () => {
      await nginx.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A deployment that is held: its stream has no end yet, and still shows that it is held. */
async function expectEventsAtOnce(client: Client): Promise<void> {
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  const id = accepted.body.job?.id ?? '';
  const types: string[] = [];
  for await (const { type } of client.events(id)) {
    types.push(type);
    if (type === 'held') await client.post(`/jobs/${id}/resume`);
  }
  expect(types).toContain('held');
  expect(types.at(-1)).toBe('end');
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
}
