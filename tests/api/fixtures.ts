import { test as base } from 'vitest';
import { type ApiSettings, ApiUnderTest } from './api-under-test.js';

/** `test` with a `start` that brings up an API of its own and takes it away after the test. */
export const test = base.extend<{ start: (settings?: ApiSettings) => Promise<ApiUnderTest> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures a fixture needs from this pattern
  start: async ({}, use) => {
    const started: ApiUnderTest[] = [];
    try {
      await use(async (settings) => {
        const api = await ApiUnderTest.start(settings);
        started.push(api);
        return api;
      });
    } finally {
      for (const api of started.reverse()) await api.close();
    }
  },
});
