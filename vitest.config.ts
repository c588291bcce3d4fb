import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Named one by one, because compiled tests in dist would be picked up otherwise.
const BESIDE_THE_CODE = ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'];

/** Files of few lines that take long. By itself vitest begins with the longest texts, and these would be waited for in the end. */
const SLOW = /property|takeover|zero-failed|ledger|docs-commands|host-faults|converge/;

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification): boolean =>
      SLOW.test(moduleId.slice(moduleId.lastIndexOf('/tests/')));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Each file starts servers of its own and then waits for them a third of the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // No test is half as slow, and what hangs is told.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes within milliseconds, and on a machine that is busy otherwise within seconds.
    expect: { poll: { timeout: 30_000 } },
    // A test that passes at the second attempt has found something.
    retry: 0,
    projects: [
      // One process for all of them: they keep no state, and most of their time would be the start of a new one.
      { extends: true, test: { name: 'beside the code', include: BESIDE_THE_CODE, isolate: false } },
      { extends: true, test: { name: 'from outside', include: ['tests/**/*.test.ts'] } },
    ],
  },
});
