import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

/** common.sh under a real `sh`, with commands behind it. */
const common = readFileSync(new URL('../../scripts/common.sh', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'rex-common-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function sh(commands: string, args: readonly string[] = [], path = process.env.PATH): Promise<string> {
  const child = spawn('sh', ['-c', `${common}\n${commands}`, 'rex:test:1', ...args], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece;
  });
  await once(child, 'close');
  return text.trim();
}

const MATCH = 'match "$1"; echo "[$matched]"';

describe('the processes that match a pattern', () => {
  test('are found by plain ones and by others, each once', async () => {
    const app = spawn('sleep', ['60.123']);
    try {
      for (const pattern of ['60.123', 'sleep 60.123', '60[.]123']) {
        expect(await sh(MATCH, [pattern])).toBe(`[${app.pid}]`);
      }
    } finally {
      app.kill();
    }
  });

  test('are never what looks for them, nor a script of ours', async () => {
    // Stands in the command line of the grep.
    expect(await sh(MATCH, [`proc/${process.pid}/cmdline`])).toBe('[]');
    const other = spawn('sh', ['-c', `${common}\necho runs; read -r line`, 'rex:test:2', 'some-app-of-ours'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    expect(spawnSync('pgrep', ['-f', 'some-app-of-ours'], { encoding: 'utf8' }).stdout).toContain(`${other.pid}`);
    expect(await sh(MATCH, ['some-app-of-ours'])).toBe('[]');
    other.stdin.end();
    await once(other, 'close');
  });
});

test('who waits changes nothing of whoever has it wait', async () => {
  expect(await sh('limit=30; wait_for 1 false || echo "$limit"')).toBe('30');
});

describe('what listens on a port', () => {
  test.each(['as it is', 'with an ss that does not work'])('is found, %s', async (way) => {
    writeFileSync(join(folder, 'ss'), '#!/bin/sh\nexit 255\n');
    chmodSync(join(folder, 'ss'), 0o755);
    const path = way === 'as it is' ? process.env.PATH : `${folder}:${process.env.PATH}`;
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    const find = 'find_listeners "$1" && find /proc/"$2"/fd -lname "socket:\\[$listeners\\]" | grep -c .';
    expect(await sh(find, [port, String(process.pid)], path)).toBe('1');
    server.close();
    await once(server, 'close');
    expect(await sh('find_listeners "$1" || echo nobody', [port], path)).toBe('nobody');
  });
});
