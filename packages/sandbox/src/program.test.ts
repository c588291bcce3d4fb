import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tar, tarGz, zip } from './archives.js';
import { mustRun, runCommand } from './command.js';
import { bombTarGz, EVIL_NAME, EVIL_TARS, EVIL_ZIPS, evilTar, evilZip } from './evil-archives.js';
import { changeProgram, DEMO_PROGRAM, makeProgram, SMALL_PROGRAM } from './program.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rex-program-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Everything there is to know of a tree: names, types, modes, times, links and contents. */
function fingerprint(tree: string): Promise<string> {
  const look = `find . -printf '%p %y %m %T@ %l ' \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort`;
  return mustRun('sh', ['-c', look], { cwd: tree });
}

test('the same seed gives the same tree, another seed another', async () => {
  makeProgram(join(dir, 'a'), { ...SMALL_PROGRAM, version: 'v1', seed: 7 });
  makeProgram(join(dir, 'b'), { ...SMALL_PROGRAM, version: 'v1', seed: 7 });
  makeProgram(join(dir, 'c'), { ...SMALL_PROGRAM, version: 'v1', seed: 8 });
  expect(await fingerprint(join(dir, 'b'))).toBe(await fingerprint(join(dir, 'a')));
  expect(await fingerprint(join(dir, 'c'))).not.toBe(await fingerprint(join(dir, 'a')));
});

test('the demo program is about 32 MiB in 300 files and holds what real trees hold', async () => {
  const tree = join(dir, 'demo');
  makeProgram(tree, { version: 'v1' });
  const files = (await mustRun('find', [tree, '-type', 'f'])).trim().split('\n');
  expect(files.length).toBeGreaterThanOrEqual(DEMO_PROGRAM.files);
  const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
  expect(size / DEMO_PROGRAM.sizeBytes).toBeCloseTo(1, 1);
  expect(statSync(join(tree, 'bin/report.sh')).mode & 0o111).toBe(0o111);
  expect(readdirSync(join(tree, 'var/empty'))).toEqual([]);
  expect(readdirSync(join(tree, 'docs'))).toEqual(['发布 说明 (第 1 版).txt']);
});

test('a change touches the wanted share and nothing else', async () => {
  const [before, after] = [join(dir, 'v1'), join(dir, 'v2')];
  makeProgram(before, { sizeBytes: 200_000, files: 100, version: 'v1' });
  cpSync(before, after, { recursive: true, verbatimSymlinks: true });
  const change = changeProgram(after, { fraction: 0.2, version: 'v2' });
  expect(change.changed).toHaveLength(21);
  const differing = (await runCommand('diff', ['-rq', before, after])).stdout.trim().split('\n');
  // `new/` shows as one line.
  expect(differing).toHaveLength(change.changed.length + change.removed.length + 1);
  expect(readFileSync(join(after, 'version.txt'), 'utf8')).toBe('v2\n');
});

test.each([
  ['tar', tar, ['tar', '-xf']],
  ['tar.gz', tarGz, ['tar', '-xf']],
  ['zip', zip, ['unzip', '-q']],
] as const)('a %s unpacks to the same tree', async (ending, pack, [command, flag]) => {
  const tree = join(dir, 'tree');
  const out = join(dir, 'out');
  makeProgram(tree, { ...SMALL_PROGRAM, version: 'v1' });
  await pack(tree, join(dir, `a.${ending}`));
  await mustRun('mkdir', [out]);
  await mustRun(command, [flag, join(dir, `a.${ending}`)], { cwd: out });
  expect((await runCommand('diff', ['-r', '--no-dereference', tree, out])).stdout).toBe('');
  expect(statSync(join(out, 'bin/report.sh')).mode & 0o777).toBe(0o755);
});

test.each(EVIL_TARS)('the evil tar "%s" is made', async (kind) => {
  await evilTar(join(dir, 'evil.tar.gz'), kind);
  const { code, stdout } = await runCommand('tar', ['-tvPf', join(dir, 'evil.tar.gz')]);
  if (kind === 'truncated') expect(code).not.toBe(0);
  else expect(stdout).toContain('good.txt');
});

test.each(EVIL_ZIPS)('the evil zip "%s" is made', async (kind) => {
  await evilZip(join(dir, 'evil.zip'), kind);
  const { code, stdout } = await runCommand('unzip', ['-l', join(dir, 'evil.zip')]);
  if (kind === 'truncated') expect(code).not.toBe(0);
  if (kind === 'parent') expect(stdout).toContain(`../${EVIL_NAME}`);
  if (kind === 'absolute') expect(stdout).toContain(`/tmp/${EVIL_NAME}`);
  expect(existsSync(`/tmp/${EVIL_NAME}`)).toBe(false);
});

test('a bomb is small on disk', async () => {
  await bombTarGz(join(dir, 'bomb.tar.gz'), 64 * 1024 * 1024);
  expect(statSync(join(dir, 'bomb.tar.gz')).size).toBeLessThan(200_000);
});
