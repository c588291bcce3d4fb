import { afterAll, beforeAll } from 'vitest';
import { type Stand, type StandOptions, startStand } from './stand.js';

/** One stand for all tests of a file, which leave it as they found it. @returns gives it, within tests */
export function sharedStand(options: StandOptions = {}): () => Stand {
  const releases: (() => Promise<unknown>)[] = [];
  let stand: Stand | undefined;
  beforeAll(async () => {
    stand = await startStand(options, releases);
  }, 120_000);
  afterAll(async () => {
    for (const release of releases.reverse()) await release();
  }, 60_000);
  return () => {
    if (stand === undefined) throw new Error('the stand is not up');
    return stand;
  };
}
