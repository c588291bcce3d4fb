import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FleetInstance } from '@rexdeploy/sandbox/instance';
import { describe, expect, onTestFinished } from 'vitest';
import { startCutProxy } from './support/cut-proxy.js';
import { expectSound } from './support/invariants.js';
import { moveToSmallDisk, type SmallDisk } from './support/small-disk.js';
import { test as ofStand, type Stand, standForAll } from './support/stand.js';

const DEPLOY = { k: 'server', senv: 'uat' };
const FAST_TAKEOVER = { worker: { lock: '2s', stalled_check: '500ms' } };
/** Every file differs: some 6 MB travel. */
const ALL_CHANGED = { program: { files: 200, sizeBytes: 1024 * 1024 }, changed: 1 };
/** Log-in, scripts, headers, lists of files. */
const OVERHEAD = 512 * 1024;
const CUT_AFTER = 4 * 1024 * 1024;

/** Given back before the stand is, whose folder could not be removed otherwise. */
const test = ofStand.extend<{ held: (() => unknown)[] }>({
  held: async ({ start: _ }, use) => {
    const held: (() => unknown)[] = [];
    await use(held);
    for (const release of held.reverse()) await release();
  },
});

interface Staged {
  instance: string;
  bytes: number;
  resumed?: number;
}

/** Follows a job to its end. @returns how each instance was staged, and the events */
async function follow({ client }: Stand, id: string) {
  const staged: Staged[] = [];
  const types: string[] = [];
  for await (const { type, data } of client.events(id)) {
    types.push(`${type} ${data.instance ?? ''} ${data.step ?? ''}`.trim());
    if (type === 'step-done' && data.step === 'stage')
      staged.push({ instance: String(data.instance), ...(data.facts as { bytes: number; resumed?: number }) });
  }
  const { body } = await client.get(`/jobs/${id}`);
  return { body, staged, types };
}

async function begin({ client }: Stand, more: Record<string, string> = {}): Promise<string> {
  return (await client.rex({ action: 'deploy', ...DEPLOY, ...more })).body.job?.id ?? '';
}

/** Files of a release and of what it was made of, told apart by nothing but their content. */
function expectSameContent(release: string, source: string): void {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(source.length + 1));
  const wrong = paths.filter((path) => !readFileSync(join(release, path)).equals(readFileSync(join(source, path))));
  expect(wrong).toEqual([]);
}

describe('a connection that is cut in the middle of a transfer', () => {
  for (const sides of ['both', 'client'] as const) {
    test(`is opened again and sends the rest alone; ${sides === 'both' ? 'both sides know' : 'the host does not know'}`, async ({
      start,
      held,
    }) => {
      const stand = await start({ workers: 0, fleet: ALL_CHANGED });
      const { fleet } = stand;
      const proxy = await startCutProxy(fleet.hostOf('server1'));
      held.push(() => proxy.close());
      const instances = { server1: { ssh: { port: proxy.port } } };
      fleet.writeConfig({ environments: { prod: { names: { server: { instances } } } } });
      await stand.addWorker();
      const cut = proxy.cutAfter(CUT_AFTER, sides);
      const id = await begin(stand);
      await cut;
      const { body, staged, types } = await follow(stand, id);
      expect(body.msg).toBeUndefined();
      expect(types).toContain('step-retried server1 stage');
      const [first, second] = ['server1', 'server2'].map((key) => staged.find(({ instance }) => instance === key));
      expect(first?.resumed).toBeGreaterThan(0);
      expect(second?.resumed).toBe(0);
      // What the new connection carried is told by both of its ends; how much arrived before the cut, only the host knows.
      expect(first?.bytes).toBeLessThan(second?.bytes ?? 0);
      expect(proxy.sent[1]).toBeLessThan((first?.bytes ?? 0) + OVERHEAD);
      const { link = '' } = await fleet.instance('server1').observe();
      expectSameContent(link, fleet.uatDirs.get('server')?.programDir ?? '');
      // Nothing of the former attempt goes on; other tests have stages of their own at the same time.
      const stages = await fleet.hostOf('server1').ssh(`pgrep -f 'rex:[s]tage:.*${fleet.dir}' || echo none`);
      expect(stages.stdout).toBe('none\n');
      expect(await expectSound(stand)).toEqual(['v2', 'v2']);
    });
  }

  test('with the worker that had it: the next worker sends the rest alone', async ({ start, held }) => {
    const stand = await start({ workers: 0, fleet: ALL_CHANGED, config: FAST_TAKEOVER });
    const { fleet } = stand;
    const proxy = await startCutProxy(fleet.hostOf('server1'));
    held.push(() => proxy.close());
    const instances = { server1: { ssh: { port: proxy.port } } };
    fleet.writeConfig({ ...FAST_TAKEOVER, environments: { prod: { names: { server: { instances, retries: 0 } } } } });
    const worker = await stand.addWorker();
    const cut = proxy.cutAfter(CUT_AFTER, 'none');
    const id = await begin(stand, { k: 'server1' });
    await cut;
    await worker.kill9();
    await stand.addWorker();
    const { body, staged } = await follow(stand, id);
    expect(body.msg).toBeUndefined();
    expect(staged[0]?.resumed).toBeGreaterThan(0);
    expect(await expectSound(stand)).toEqual(['v2', 'v1']);
  });
});

describe('a disk that cannot take the release is told before any host gets anything', () => {
  const cases: { fault: string; spoil: (disk: SmallDisk) => void; expected: RegExp }[] = [
    {
      fault: 'too small',
      spoil: (disk) => disk.remount('size=12m'),
      expected: /server2 needs \d{8} bytes beside \S+html2, \d+ are available; free space on the host/,
    },
    {
      fault: 'without inodes',
      spoil: (disk) => disk.remount(`nr_inodes=${disk.usedInodes() + 80}`),
      expected: /server2 needs \d+ inodes beside \S+html2, \d+ are available; free space on the host/,
    },
    {
      fault: 'read-only',
      spoil: (disk) => disk.remount('ro'),
      expected: /data\/www cannot be written by \S+, so no release of server2 can be placed there/,
    },
  ];
  test(`${cases.map(({ fault }) => fault).join(', ')}: each is told, and a disk that is mended is used`, async ({
    start,
    held,
  }) => {
    const stand = await start();
    const { fleet } = stand;
    const disk = await moveToSmallDisk(fleet.instance('server2'));
    held.push(() => disk.unmount());
    for (const { fault, spoil, expected } of cases) {
      spoil(disk);
      const { body, types } = await follow(stand, await begin(stand));
      expect(body.msg, fault).toMatch(expected);
      expect(body.msg).toContain('no instance was taken out of rotation, stopped or switched');
      expect(body.msg).not.toContain('left over');
      expect(types.filter((type) => /^step-started (server1|\S+ drain)/.test(type))).toEqual([]);
      expect(readdirSync(dirname(fleet.instance('server2').programDir))).not.toContain('.rexdeploy');
      expect(await expectSound(stand)).toEqual(['v1', 'v1']);
      disk.remount('rw,size=256m,nr_inodes=100000');
    }
    expect((await stand.client.deploy(DEPLOY)).body.msg).toBeUndefined();
    expect(await expectSound(stand)).toEqual(['v2', 'v2']);
  });
});

describe('a file of the present release that is written to between the look and the copy', () => {
  /** Each test has a name of its own. */
  const standing = standForAll({ fleet: { names: 4 } });
  const versionsOf = (name: string): Promise<(string | undefined)[]> => expectSound(standing(), { of: name });

  /** The host's own tar, for the test, which comes in between: `act` runs in the release that is linked. */
  function comeBetween({ programDir, key }: FleetInstance, act: string): void {
    const host = standing().fleet.hostOf(key);
    onTestFinished(() => rmSync(join(host.binDir, 'tar')));
    host.putCommand('tar', `#!/bin/sh\ncase "$1" in -x) (cd ${programDir}/ && ${act}) ;; esac\nexec /bin/tar "$@"\n`);
  }
  /** Same size and time, and another content. */
  const SPOIL =
    'cp -p package.json /tmp/$$ && tr a-z A-Z < /tmp/$$ > package.json && touch -r /tmp/$$ package.json && rm /tmp/$$';

  for (const [deployments, k, key] of [
    ['first', 'server', 'server1'],
    ['second', 'app2', 'app2-1'],
  ] as const) {
    test(`is noticed, and the release has what was sent: ${deployments} deployment`, async () => {
      const { client, fleet } = standing();
      const one = fleet.instance(key);
      if (deployments === 'second') expect((await client.deploy({ ...DEPLOY, k })).body.msg).toBeUndefined();
      comeBetween(one, `grep -q sample package.json && ${SPOIL} || true`);
      expect((await client.deploy({ ...DEPLOY, k })).body.msg).toBeUndefined();
      const { link = '' } = await one.observe();
      expectSameContent(link, fleet.uatDirs.get(k)?.programDir ?? '');
      expect(await versionsOf(k)).toEqual(['v2', 'v2']);
    });
  }

  test('again and again ends it with its name, and with nothing left', async () => {
    const { client, fleet } = standing();
    comeBetween(fleet.instance('app3-1'), 'chmod 644 package.json');
    const { body } = await client.deploy({ ...DEPLOY, k: 'app3' });
    expect(body.msg).toContain('the present release of app3-1 keeps changing while it is copied');
    expect(body.msg).toContain('package.json');
    expect(await versionsOf('app3')).toEqual(['v1', 'v1']);
  });

  test('and that no package has a say in is carried over as it is, and read anew the next time', async () => {
    const { client, fleet } = standing();
    const one = fleet.instance('app4-1');
    await fleet.hostOf(one.key).ssh(`echo early > ${one.programDir}/own.txt`);
    comeBetween(one, 'echo late >> own.txt');
    for (const lines of ['early\nlate\n', 'early\nlate\nlate\n', 'early\nlate\nlate\nlate\n']) {
      expect((await client.deploy({ ...DEPLOY, k: one.key })).body.msg).toBeUndefined();
      const { link = '' } = await one.observe();
      expect(readFileSync(join(link, 'own.txt'), 'utf8')).toBe(lines);
    }
    expect(await versionsOf('app4')).toEqual(['v2', 'v1']);
  });
});
