import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Named one by one, because compiled tests in dist would be picked up otherwise.
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Each file starts servers of its own; more at a time only makes all of them slow.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A test that passes at the second attempt has found something.
    retry: 0,
  },
});
