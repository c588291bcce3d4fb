import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const text = ['partial', 'common']
  .map((name) => readFileSync(new URL(`../../scripts/${name}.sh`, import.meta.url), 'utf8'))
  .join('\n');

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rex-partial-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs as sshd does it: in a session of its own. Resolves once it has written a line. */
async function start(script: string, dir: string): Promise<ChildProcess & { line: string }> {
  const child = spawn('sh', ['-c', script, 'rex:stage:test', dir], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (bytes) => resolve(String(bytes).trim())),
  );
  return Object.assign(child, { line });
}

const endFormer = (dir: string): string =>
  execFileSync('sh', ['-c', `${text}\nend_former "$1"`, 'rex:resume:test', dir], { encoding: 'utf8', stdio: 'pipe' });

/** Ended, or at least nothing that could still write. */
const isGone = (pid: string): boolean =>
  !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test('a script that fills the folder is ended together with what it started', async () => {
  const dir = folder();
  const former = await start(`${text}\nclaim "$1"; sleep 60 & echo $!; wait`, dir);
  endFormer(dir);
  expect([String(former.pid), former.line].map(isGone)).toEqual([true, true]);
  expect(() => endFormer(dir)).not.toThrow();
});

test('a process that has got its number, or is none of ours, is left alone', async () => {
  const dir = folder();
  const other = await start('echo $$; exec sleep 60', dir);
  const startOf = readFileSync(`/proc/${other.pid}/stat`, 'utf8').split(' ')[21];
  for (const since of ['1', startOf]) {
    writeFileSync(join(dir, 'pid'), `${other.pid} ${since}\n`);
    endFormer(dir);
    expect(isGone(String(other.pid))).toBe(false);
  }
});

test('a folder that was cut off before it was claimed holds nobody up', () => {
  const dir = folder();
  endFormer(dir);
  writeFileSync(join(dir, 'pid'), 'nonsense');
  endFormer(dir);
});
