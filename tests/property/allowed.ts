import type { StreamedEvent } from '../support/client.js';
import type { Lane } from './lane.js';
import type { Chances } from './run.js';

/** What an instance was before the run. */
export type Before = ReadonlyMap<string, { link: string; version: string; rotation: string }>;

const MAY_FAIL: ReadonlySet<string> = new Set(['no-start', 'no-stop', 'sick', 'cancel']);

/** What the rules of a roll-out do not allow, one line each; empty when all is well. */
export function violations(lane: Lane, chances: Chances, before: Before, events: readonly StreamedEvent[]): string[] {
  const end = events.at(-1);
  const job = end?.data.job as { state?: string } | undefined;
  const state = job?.state ?? 'unknown';
  const left = new Set(events.filter(({ type }) => type === 'left').map(({ data }) => String(data.instance)));
  const wanted = chances.k === lane.name ? lane.instances.map(({ key }) => key) : chances.k.split(' ');
  const found: string[] = [];
  const bad = (key: string, what: string): unknown => found.push(`${key}: ${what}`);

  if (end?.type !== 'end' || !['succeeded', 'failed', 'cancelled'].includes(state)) bad('job', `ended as ${state}`);
  // Nothing of ours that dies, freezes or is cut off may be a reason to fail; that too few serve since an earlier run, may.
  const fewServe = lane.instances.some(({ key }) => before.get(key)?.rotation !== lane.rotationAtFirst(key));
  if (!MAY_FAIL.has(chances.fault) && !fewServe && state !== 'succeeded')
    bad('job', `${state}: ${String(end?.data.msg)}`);
  for (const instance of lane.instances) {
    const { key } = instance;
    const was = before.get(key);
    const now = lane.look(instance);
    if (was === undefined) continue;
    const owed = left.has(key) || now.rotation !== lane.rotationAtFirst(key);
    if (now.beside.some((file) => !(owed && file.endsWith('.rotation'))))
      bad(key, `left behind ${now.beside.join(' ')}`);
    if (!wanted.includes(key) && now.link !== was.link) bad(key, 'was touched and not asked for');
    if (![was.version, chances.version].includes(now.version)) bad(key, `has ${now.version}`);
    if (state === 'succeeded' && wanted.includes(key) && now.version !== chances.version)
      bad(key, `has ${now.version}`);
    if (state === 'failed' && chances.policy === 'rollback_all' && !left.has(key) && now.link !== was.link) {
      bad(key, 'was not taken back');
    }
    // What an earlier run had to leave, and this one did not get to, stays as it is.
    const waits = was.rotation !== lane.rotationAtFirst(key) && now.link === was.link && now.rotation === was.rotation;
    if (left.has(key) || waits) continue;
    if (now.runs.length !== 1 || now.runs[0] !== now.link)
      bad(key, `runs ${now.runs.join(' ') || 'nothing'}, linked ${now.link}`);
    if (now.rotation !== lane.rotationAtFirst(key))
      bad(key, `rotation ${now.rotation.trim()}, was ${was.rotation.trim()}`);
  }
  found.push(...twice(events));
  return found;
}

/** No step of an instance is done twice, except staging, which may be left in the middle. */
function twice(events: readonly StreamedEvent[]): string[] {
  const done = events.flatMap(({ type, data }) =>
    type === 'step-done' && data.step !== 'stage' ? [`${data.instance} ${data.step}`] : [],
  );
  return done.filter((each, at) => done.indexOf(each) !== at).map((each) => `${each} was done twice`);
}
