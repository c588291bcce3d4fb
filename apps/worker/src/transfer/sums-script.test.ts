import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { tarHeader } from '@rexdeploy/store/tar-header';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** sums.sh, as stage.sh has it behind common.sh. */
const FUNCTIONS = ['common.sh', 'sums.sh']
  .map((file) => readFileSync(new URL(`../../scripts/${file}`, import.meta.url), 'utf8'))
  .join('\n');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rex-sums-'));
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'out'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function entry(path: string, content: string): Buffer {
  const bytes = Buffer.from(content);
  const header = tarHeader({ path, type: 'file', mode: 0o644, size: bytes.length, mtime: 1 });
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
const sum = (path: string, content: string): string =>
  `${createHash('sha256').update(content).digest('hex')} *${path}\n`;
const END = Buffer.alloc(1024);
const LARGE = 'x'.repeat(300_000);

const GOOD = [
  entry('tree/a b', LARGE),
  entry('tree/-c', 'c'),
  entry('control/sums-1', sum('tree/a b', LARGE) + sum('tree/-c', 'c')),
  entry('tree/d', 'd'),
  entry('control/sums-2', sum('tree/d', 'd')),
];

async function unpack(parts: Buffer[], lists: number) {
  const child = spawn('sh', ['-c', `${FUNCTIONS}\nunpack none ${lists}`], {
    cwd: join(dir, 'out'),
    env: { PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
  });
  child.stdin.end(Buffer.concat(parts));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stderr, code] = await Promise.all([text(child.stderr), ended]);
  return { code, stderr };
}

/** A program that stands before the system's. */
function command(name: string, script: string): void {
  writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'bin', name), 0o755);
}

describe('what is unpacked and checked on a host', () => {
  test('is taken when all of it is right', async () => {
    expect(await unpack([...GOOD, END], 2)).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(join(dir, 'out/tree/a b'), 'utf8')).toBe(LARGE);
  });

  for (const [at, path] of [
    [0, 'tree/a b'],
    [1, 'tree/-c'],
    [3, 'tree/d'],
  ] as const) {
    test(`is refused with the name of what differs: ${path}`, async () => {
      const parts = GOOD.map((part, index) => (index === at ? entry(path, 'other') : part));
      const { code, stderr } = await unpack([...parts, END], 2);
      expect(code).toBe(1);
      expect(stderr).toContain(`${path}: FAILED`);
    });
  }

  test('is refused when a file or a list is missing', async () => {
    expect((await unpack([...GOOD.slice(1), END], 2)).code).toBe(1);
    expect((await unpack([...GOOD.slice(0, 4), END], 2)).code).toBe(1);
    expect((await unpack([END], 2)).code).toBe(1);
  });

  test('is refused as not unpacked when it is cut off, whatever else is wrong', async () => {
    const parts = [entry('tree/a b', 'other'), ...GOOD.slice(1)];
    expect((await unpack([Buffer.concat(parts).subarray(0, -300)], 2)).code).toBe(2);
  });

  test('may be called wrong by openssl: sha256sum has the last word', async () => {
    command('openssl', 'echo nonsense');
    expect(await unpack([...GOOD, END], 2)).toEqual({ code: 0, stderr: '' });
    command('openssl', 'exit 1');
    expect(await unpack([...GOOD, END], 2)).toEqual({ code: 0, stderr: '' });
  });

  test('needs no sha256sum where openssl confirms it', async () => {
    command('sha256sum', 'exit 1');
    expect(await unpack([...GOOD, END], 2)).toEqual({ code: 0, stderr: '' });
  });
});
