import { startApi } from '@rexdeploy/sandbox/controller';
import { expect } from 'vitest';
import type { Client } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { startDeployment } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

/** `freeze`: times in which nothing is rolled out. When a window is open is shown beside the code. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };
const QUEUE = { ...DEPLOY, when_busy: 'queue' };
const MINUTE = 60_000;

/** A window that opened at the last full minute and is open for the whole test. */
function openNow(reason: string) {
  const begin = new Date(Math.floor(Date.now() / MINUTE) * MINUTE);
  const [minute, hour, day, month] = [
    begin.getUTCMinutes(),
    begin.getUTCHours(),
    begin.getUTCDate(),
    begin.getUTCMonth() + 1,
  ];
  return {
    end: new Date(begin.getTime() + 60 * MINUTE).toISOString(),
    freeze: [{ cron: `${minute} ${hour} ${day} ${month} *`, duration: '60m', reason }],
  };
}

const bossOf = ({ clientFor }: Stand): Promise<Client> => clientFor({ name: 'boss', role: 'admin' });

test('a frozen name is refused with reason and end; what touches nothing goes through, an administrator by force', async ({
  start,
}) => {
  const { end, freeze } = openNow('11.11');
  const stand = await start({
    fleet: { names: 2 },
    config: { timezone: 'UTC', environments: { prod: { names: { server: { freeze } } } } },
  });
  const { client } = stand;
  const local = end.slice(0, 19).replace('T', ' ');
  for (const request of [DEPLOY, QUEUE, { action: 'rollback', k: 'server' }, { ...DEPLOY, k: 'server1' }]) {
    const { status, body } = await client.rex(request);
    expect(status).toBe(409);
    expect(body.msg).toContain(`(server)--is frozen: 11.11; until ${local} UTC (${end})`);
    expect(body).toMatchObject({ code: '-1', data: { code: '-1' }, respon: { ret: '1' } });
    expect(body.job).toBeUndefined();
  }
  const [dryRun, other] = await Promise.all([
    client.deploy({ k: 'server', senv: 'uat', dry_run: '1' }),
    client.deploy({ k: stand.fleet.names[1]?.name ?? '', senv: 'uat' }),
  ]);
  expect([dryRun.body.job?.state, other.body.job?.state]).toEqual(['succeeded', 'succeeded']);
  expect((await client.rex({ action: 'check', k: 'server', wait: '60' })).body.job?.state).toBe('succeeded');

  const notAllowed = await client.rex({ ...DEPLOY, force: '1' });
  expect([notAllowed.status, notAllowed.body.msg]).toEqual([403, expect.stringContaining('needs the role admin')]);
  const forced = await (await bossOf(stand)).deploy({ k: 'server', senv: 'uat', force: '1' });
  expect(forced.body.job?.state).toBe('succeeded');
  for await (const { type, data } of client.events(forced.body.job?.id ?? '')) {
    if (type === 'accepted') expect(data.request).toMatchObject({ force: true, by: 'boss' });
  }
  expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2', 'v2']);
});

test('a window of the whole file counts for every name; what was accepted before it is answered as before', async ({
  start,
}) => {
  const { client: first, configFile, fleet } = await start({ workers: 0 });
  const key = { 'idempotency-key': 'build-1' };
  const before = await first.rex(DEPLOY, key);
  expect(before.status).toBe(202);
  fleet.writeConfig({ freeze: openNow('audit').freeze });
  const frozen = await startApi({ config: configFile, env: fleet.env });
  try {
    const client = first.at(frozen.url);
    expect((await client.rex(DEPLOY)).body.msg).toContain('(server)--is frozen: audit; until');
    const repeated = await client.rex(DEPLOY, key);
    expect([repeated.status, repeated.body.job?.id]).toEqual([202, before.body.job?.id]);
    expect((await client.rex({ ...DEPLOY, full: '2' }, key)).status).toBe(409);
  } finally {
    await frozen.stop();
  }
});

test('who gets its turn inside a window is cancelled with the reason, and the next one gets its turn', async ({
  start,
}) => {
  const stand = await start({ workers: 0 });
  const { client } = stand;
  const first = await startDeployment(stand);
  const boss = await bossOf(stand);
  const answers = [await client.rex(QUEUE), await client.rex(QUEUE), await boss.rex({ ...QUEUE, force: '1' })];
  const [second = '', third = '', forced = ''] = answers.map(({ body }) => body.job?.id);
  stand.fleet.writeConfig({ freeze: openNow('audit').freeze });
  await stand.addWorker();
  expect((await client.get(`/jobs/${forced}?wait=60`)).body.job?.state).toBe('succeeded');
  // Accepted before the window, with the name at once: it is not put off.
  expect((await client.get(`/jobs/${first}`)).body.job?.state).toBe('succeeded');
  for (const id of [second, third]) {
    const { body } = await client.get(`/jobs/${id}`);
    expect(body).toMatchObject({ code: '-1', job: { state: 'cancelled', rollback: 'none' } });
    expect(body.msg).toContain('its turn came in a freeze window: (server)--is frozen: audit; until');
  }
  expect(await expectSound(stand)).toEqual(['v2', 'v2']);
});
