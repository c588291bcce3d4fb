import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '@rexdeploy/sandbox/random';
import type { StreamedEvent } from '../support/client.js';
import type { Stand } from '../support/stand.js';
import type { Lane } from './lane.js';

const FAULTS = [
  'none',
  'no-start',
  'sick',
  'no-stop',
  'kill',
  'freeze',
  'stop-worker',
  'cut',
  'cancel',
  'hold',
] as const;
type Fault = (typeof FAULTS)[number];

const OF_WORKERS: ReadonlySet<Fault> = new Set<Fault>(['kill', 'freeze', 'stop-worker']);

/** Everything that chance decides of one run. */
export interface Chances {
  seed: number;
  fault: Fault;
  /** The event at which it happens. */
  at: number;
  instance: string;
  policy: 'rollback' | 'rollback_all' | 'halt';
  k: string;
  version: string;
  /** The former release may not start either. */
  noWayBack: boolean;
}

export function rollDice(random: Random, seed: number, lane: Lane, version: string): Chances {
  const keys = lane.instances.map(({ key }) => key);
  const some = keys.filter(() => random.fraction() < 0.7);
  return {
    seed,
    // What strikes a worker strikes the other names that it has in hand too: a little of it goes a long way.
    fault: random.pick([...FAULTS, ...FAULTS.filter((fault) => !OF_WORKERS.has(fault))]),
    at: random.below(10 * keys.length),
    instance: random.pick(keys),
    policy: random.pick(['rollback', 'rollback', 'rollback_all', 'halt'] as const),
    k: random.fraction() < 0.8 || some.length === 0 ? lane.name : some.join(' '),
    version,
    noWayBack: random.fraction() < 0.15,
  };
}

/** Deploys, lets chance strike, and follows the job to its end. @returns its events */
export async function run(stand: Stand, lane: Lane, chances: Chances): Promise<StreamedEvent[]> {
  const { client } = stand;
  const before = new Map(lane.instances.map((instance) => [instance.key, lane.look(instance).version]));
  if (isOfService(chances.fault)) {
    const former = before.get(chances.instance) ?? '';
    lane.fault(chances.fault, chances.instance, chances.fault === 'no-stop' ? former : chances.version);
    if (chances.noWayBack && chances.fault !== 'no-stop') lane.fault('no-start', chances.instance, former);
  }
  const { id: uploaded } = await upload(stand, lane.name, chances.version);
  const accepted = await client.rex({
    action: 'deploy',
    k: chances.k,
    package: uploaded,
    on_failure: chances.policy,
    hold: chances.fault === 'hold' ? '1' : '0',
  });
  const id = accepted.body.job?.id;
  if (id === undefined) throw new Error(`not accepted: ${accepted.body.msg}`);
  const events: StreamedEvent[] = [];
  for await (const event of client.events(id)) {
    events.push(event);
    if (event.type === 'held') await client.post(`/jobs/${id}/resume`);
    if (events.length === chances.at) await strike(stand, id, chances);
  }
  return events;
}

const isOfService = (fault: Fault): fault is 'no-start' | 'sick' | 'no-stop' =>
  fault === 'no-start' || fault === 'sick' || fault === 'no-stop';

async function strike(stand: Stand, id: string, { fault, instance, at }: Chances): Promise<void> {
  const live = stand.workers.filter((worker) => worker.child.isRunning());
  const worker = live[at % live.length];
  switch (fault) {
    case 'kill':
      await worker?.kill9();
      await stand.addWorker();
      return;
    case 'stop-worker':
      // Not waited for: it may have other names to see to.
      worker?.stop().catch(() => undefined);
      await stand.addWorker();
      return;
    case 'freeze':
      worker?.freeze();
      setTimeout(() => worker?.thaw(), 2_500);
      return;
    case 'cut':
      await stand.fleet.hostOf(instance).sshd.dropSessions();
      return;
    case 'cancel':
      await stand.client.post(`/jobs/${id}/cancel`);
      return;
    default:
  }
}

async function upload({ client }: Stand, k: string, version: string): Promise<{ id: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'rex-property-'));
  try {
    writeFileSync(join(dir, 'version'), `${version}\n`);
    execFileSync('tar', ['-czf', 'package.tgz', 'version'], { cwd: dir });
    return await client.upload({ k }, join(dir, 'package.tgz'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
