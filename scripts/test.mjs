/** Runs all tests; the last line on stdout is `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
    const code = await runChild(process.execPath, [vitest, ...words], { cwd: ROOT });
    const { passed, failed } = readCounts(report);
    if (passed + failed === 0) say('no test ran');
    else if (code !== 0 && failed === 0) say(`vitest ended with exit code ${code} although no test failed`);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return code === 0 && failed === 0 && passed > 0 ? 0 : code || 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
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
