import { setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { test } from './support/stand.js';

test('an instance whose former release does not start either stays out of rotation, and the answer says so', async ({
  start,
}) => {
  const { client, fleet } = await start();
  setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
  const { service } = fleet.instance('server1');
  const script = `#!/bin/sh
if [ "$1" = start ]; then echo disk full; exit 9; fi
exec ${service}-real "$@"
`;
  await fleet.hostOf('server1').ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
  const { body } = await client.deploy({ k: 'server', senv: 'uat' });
  expect(body.code).toBe('-1');
  expect(body.msg).toContain('server1 could NOT be brought back');
  expect(body.msg).toContain('disk full');
  expect(body.msg).toContain('server1 stays out of rotation');
  const down = fleet.nginx?.upstream().map((line) => line.down);
  expect(down).toEqual([true, false]);
});

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
