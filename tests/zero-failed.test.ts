import type { Fleet } from '@rexdeploy/sandbox/fleet';
import { changeProgram } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import { expectSound } from './support/invariants.js';
import { describeLoad, type Load, startLoad } from './support/load.js';
import { type Stand, test } from './support/stand.js';

/** Visitors notice nothing: every request is answered, by the old release or the new one. */

const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };
const SETTLED = { environments: { prod: { names: { server: { balancer: { settle: '5s' } } } } } };
const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

/** Visits the site through its balancer while `work` is done. */
async function underLoad({ fleet }: Stand, title: string, work: () => Promise<unknown>): Promise<Load> {
  const load = startLoad((fleet.nginx ?? fleet.haproxy)?.url ?? '');
  let seen: Load;
  try {
    await work();
  } finally {
    seen = await load.stop();
  }
  console.log(describeLoad(title, seen));
  return seen;
}

async function expectNoneFailed({ nginx }: Fleet, load: Load, versions: readonly string[]): Promise<void> {
  expect(load.failures).toEqual([]);
  expect([...load.versions.keys()].sort()).toEqual(versions);
  if (nginx === undefined) {
    // Nothing of HAProxy is reloaded, so that it has no reason to close a connection.
    expect(load.reopened).toBe(0);
    return;
  }
  // What nginx took it answered: only what it closed before was asked again.
  const failed = (await nginx.readAccessLog()).filter((line) => line.split(' ')[1] !== '200');
  expect(failed).toEqual([]);
}

async function rollOut({ client }: Stand): Promise<void> {
  const { body } = await client.rex({ ...DEPLOY, wait: '60' });
  expect(body.job?.state).toBe('succeeded');
}

/** The worker dies when the third of four instances is out of rotation, and another one takes over. */
async function rollOutWithCrash({ client, workers, addWorker }: Stand): Promise<void> {
  const accepted = await client.rex(DEPLOY);
  const id = accepted.body.job?.id ?? '';
  let killed = false;
  for await (const { type, data } of client.events(id)) {
    if (killed || type !== 'step-started' || data.step !== 'switch' || data.instance !== 'server3') continue;
    killed = true;
    await workers[0]?.kill9();
    await addWorker();
  }
  expect(killed).toBe(true);
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
}

async function rollBack({ client }: Stand): Promise<void> {
  const { body } = await client.rex({ action: 'rollback', k: 'server', wait: '60' });
  expect(body.job?.state).toBe('succeeded');
}

for (const balancer of ['nginx', 'haproxy'] as const) {
  test(`through ${balancer} no request fails: in a roll-out, in one whose worker dies, in a rollback`, async ({
    start,
  }) => {
    const stand = await start({ fleet: { balancer, instances: 4 }, config: { ...FAST_TAKEOVER, ...SETTLED } });
    const { fleet } = stand;
    const first = await underLoad(stand, `${balancer}, roll-out`, () => rollOut(stand));
    await expectNoneFailed(fleet, first, ['v1', 'v2']);
    expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2', 'v2']);

    changeProgram(fleet.uatDirs.get('server')?.programDir ?? '', { fraction: 0.1, version: 'v3', seed: 3 });
    const second = await underLoad(stand, `${balancer}, worker killed`, () => rollOutWithCrash(stand));
    await expectNoneFailed(fleet, second, ['v2', 'v3']);
    expect(await expectSound(stand)).toEqual(['v3', 'v3', 'v3', 'v3']);

    const third = await underLoad(stand, `${balancer}, rollback`, () => rollBack(stand));
    await expectNoneFailed(fleet, third, ['v2', 'v3']);
    expect(await expectSound(stand)).toEqual(['v2', 'v2', 'v2', 'v2']);
  });
}
