import { expect } from 'vitest';
import { test } from './support/stand.js';

const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };

for (const moment of ['stage', 'drain', 'switch', 'verify', 'restore']) {
  test(`a worker killed during ${moment} is replaced, and the roll-out ends as if nothing had happened`, async ({
    start,
  }) => {
    const { client, fleet, workers, addWorker } = await start({ config: FAST_TAKEOVER });
    const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
    const id = accepted.body.job?.id ?? '';
    const done: string[] = [];
    const claims: string[] = [];
    for await (const { type, data } of client.events(id)) {
      if (type === 'claimed') claims.push(String(data.worker));
      if (type === 'step-started' && data.step === moment && claims.length === 1 && workers[0] !== undefined) {
        await workers[0].kill9();
        await addWorker();
        claims.push('killed');
      }
      if (type === 'step-done') done.push(`${data.instance} ${data.step}`);
    }
    const ended = await client.get(`/jobs/${id}`);
    expect(ended.body.job?.state).toBe('succeeded');
    expect(claims.filter((claim) => claim !== 'killed')).toHaveLength(2);
    expect(new Set(done).size).toBe(done.length);
    for (const instance of fleet.instances) expect((await instance.observe()).version).toBe('v2');
    expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
  });
}
