import { expect } from 'vitest';
import { test } from './support/stand.js';

test('an instance that fails after it was given back is out of rotation while it is brought back', async ({
  start,
}) => {
  const { client, fleet, workers } = await start();
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  const id = accepted.body.job?.id ?? '';
  const seen: unknown[] = [];
  for await (const { type, data } of client.events(id)) {
    if (type === 'step-started' && data.step === 'restore' && data.instance === 'server1') {
      // The app dies between the hand-back and the last look at it.
      workers[0]?.freeze();
      await fleet.instance('server1').runService('stop');
      workers[0]?.thaw();
    }
    if (type === 'undo-started' && data.step === 'switch') seen.push(fleet.nginx?.upstream()[0]?.down);
  }
  expect(seen).toEqual([true]);
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('failed');
  expect((await fleet.instance('server1').observe()).version).toBe('v1');
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
});
