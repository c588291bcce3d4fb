import { expect } from 'vitest';
import { healthAttempts, holdListening, PATIENT_ATTEMPTS, startDeployment } from './support/roll-out.js';
import { test } from './support/stand.js';

test('an instance that fails after it was given back is out of rotation while it is brought back', async ({
  start,
}) => {
  const stand = await start({ config: (fleet) => healthAttempts(fleet, PATIENT_ATTEMPTS) });
  const { client, fleet } = stand;
  const listen = holdListening(stand);
  const id = await startDeployment(stand);
  const seen: unknown[] = [];
  for await (const { type, data } of client.events(id)) {
    // What the balancer's host is asked from here on waits until the app is dead: between the hand-back and the last look
    // at it.
    if (type === 'step-mark' && data.mark === 'start' && data.instance === 'server1' && seen.length === 0) {
      fleet.lb?.sshd.freeze();
      listen();
    }
    if (type === 'step-started' && data.step === 'restore' && data.instance === 'server1') {
      await fleet.instance('server1').runService('stop');
      fleet.lb?.sshd.thaw();
    }
    if (type === 'undo-started' && data.step === 'switch') seen.push(fleet.nginx?.upstream()[0]?.down);
  }
  expect(seen).toEqual([true]);
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('failed');
  expect((await fleet.instance('server1').observe()).version).toBe('v1');
  expect(fleet.nginx?.upstream().every((line) => !line.down)).toBe(true);
});
