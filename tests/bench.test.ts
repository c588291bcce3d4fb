import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { afterAll, beforeAll, expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rex-bench-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a bench in the smallest size. @returns its tables, and the figures that it wrote */
async function bench(words: readonly string[]): Promise<{ stdout: string; figures: Record<string, unknown> }> {
  const file = join(dir, `${words[0]}.json`);
  const ended = await runCommand(process.execPath, [BENCH, ...words, '--quick', '--json', file], {
    timeoutMs: 150_000,
  });
  expect(ended.stderr).not.toContain('bench: ');
  expect(ended.code).toBe(0);
  return { stdout: ended.stdout, figures: JSON.parse(readFileSync(file, 'utf8')) };
}

test.concurrent('a roll-out of ours and one by the hand-written script are measured side by side', {
  timeout: 180_000,
}, async () => {
  const { stdout, figures } = await bench([
    'rollout',
    '--items',
    'W5',
    '--peers',
    'tuned',
    '--pairs',
    '0',
    '--no-bytes',
  ]);
  expect(stdout).toMatch(/^\| W5 1 host, 1 GB in 50 files, cold +\| [\d.]+ +\| [\d.]+ +\| [\d.]+ +\|/m);
  expect(figures).toMatchObject({ machine: { cores: expect.any(Number) }, rollout: { seconds: expect.any(Number) } });
});

test.concurrent('simulated hosts bring every deployment to its end', { timeout: 180_000 }, async () => {
  const { stdout } = await bench(['scale', '--names', '2', '--instances', '2', '--workers', '1']);
  expect(stdout).toMatch(/^\| wave 1 +\| 1 +\| [\d.]+ +\|/m);
});

test('a bench or an option that there is not is named', async () => {
  const [wrongName, wrongOption] = await Promise.all([
    runCommand(process.execPath, [BENCH, 'rolout']),
    runCommand(process.execPath, [BENCH, 'scale', '--name', '2']),
  ]);
  expect(wrongName).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no bench rolout') });
  expect(wrongOption).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown option --name') });
});
