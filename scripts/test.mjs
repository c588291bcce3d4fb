/** Runs all tests; the last line on stdout is `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './run-child.mjs';
import { ROOT, say } from './setup.mjs';

/**
 * @param {readonly string[]} args further words for vitest: files, `-t pattern`, …
 * @returns {Promise<number>} 0 only when tests ran and none failed
 */
export async function runTests(args) {
  const dir = mkdtempSync(join(tmpdir(), 'rex-test-'));
  const report = join(dir, 'report.json');
  try {
    const words = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args];
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const code = await runChild(process.execPath, [vitest, ...words], { cwd: ROOT, env: environment() });
    const { passed, failed } = readCounts(report);
    if (passed + failed === 0) say('no test ran');
    else if (code !== 0 && failed === 0) say(`vitest ended with exit code ${code} although no test failed`);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return code === 0 && failed === 0 && passed > 0 ? 0 : code || 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Tests make and remove many small files, which is slow on some disks: they go into memory where there is plenty. */
function environment() {
  const { TMPDIR = isRoomyMemory('/dev/shm') ? '/dev/shm' : undefined } = process.env;
  return TMPDIR === undefined ? process.env : { ...process.env, TMPDIR };
}

const NEEDED_BYTES = 8 * 1024 ** 3;

function isRoomyMemory(folder) {
  const mount = readMounts().find(([, place, type]) => place === folder && type === 'tmpfs');
  // Programs are run from there.
  if (mount === undefined || mount[3].split(',').includes('noexec')) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > NEEDED_BYTES;
}

function readMounts() {
  try {
    return readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
  } catch {
    return []; // not Linux
  }
}

/** A file that could not even be loaded counts as one failure: it holds tests that did not run. */
function readCounts(report) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
  const unloaded = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return { passed: result.numPassedTests, failed: result.numFailedTests + unloaded.length };
}
