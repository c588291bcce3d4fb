import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Named one by one, because compiled tests in dist would be picked up otherwise.
const BESIDE_THE_CODE = ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'];

export default defineConfig({
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Each file starts servers of its own and then waits for them a third of the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A test that passes at the second attempt has found something.
    retry: 0,
    projects: [
      // One process for all of them: they keep no state, and most of their time would be the start of a new one.
      { extends: true, test: { name: 'beside the code', include: BESIDE_THE_CODE, isolate: false } },
      { extends: true, test: { name: 'from outside', include: ['tests/**/*.test.ts'] } },
    ],
  },
});
