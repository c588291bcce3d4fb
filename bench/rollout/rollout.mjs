/**
 * Whole roll-outs: ours, from `POST /rex` to the job's end, against what an expert would write by hand. Contenders take
 * turns within each round, so that what the machine does meanwhile meets all of them.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseLine } from '../lib/line.mjs';
import { APP_PROGRAM } from '../lib/quick-app.mjs';
import { startStand } from '../lib/stand.mjs';
import { Tree } from '../lib/tree.mjs';
import { mustBeDeployed } from './correct.mjs';
import { ITEMS, inSmall } from './items.mjs';
import { Meters } from './meters.mjs';
import { deployOurs } from './ours.mjs';
import { report } from './report.mjs';
import { pruneReleases, wipe } from './reset.mjs';
import { deployByScript } from './script.mjs';

export const options = {
  pairs: 'number',
  items: 'text',
  peers: 'text',
  mtime: 'text',
  line: 'text',
  reuse: 'text',
  parallel: 'number',
  'limit-minutes': 'number',
  'no-bytes': 'switch',
  events: 'switch',
};

/** @param {{ quick: boolean, say: (text: string) => void }} context */
export async function run(given, { quick, say }) {
  const settings = {
    pairs: given.pairs ?? (quick ? 1 : 5),
    items: words(given.items, Object.keys(ITEMS)),
    peers: words(given.peers, ['tuned', 'ahead', 'tar', 'careful']),
    freshTimes: given.mtime === 'fresh',
    deadline: Date.now() + (given['limit-minutes'] ?? 40) * 60_000,
    countsBytes: given['no-bytes'] !== true,
    line: given.line === undefined ? undefined : parseLine(given.line),
  };
  const name = configOf(given, settings);
  const results = {};
  for (const key of settings.items) {
    const item = quick ? inSmall(ITEMS[key]) : ITEMS[key];
    say(`${key}: ${item.what}${quick ? ' (in small)' : ''}`);
    results[key] = { item, ...(await measureItem(item, settings, name, say)) };
    if (given.events === true) say(eventTimes(results[key].runs.ours.at(-1)));
  }
  for (const { runs } of Object.values(results)) for (const each of [...runs.ours, ...runs.anew]) delete each.events;
  const { text, figures } = report(results, settings);
  const variant = [settings.freshTimes ? 'mtime' : '', settings.line === undefined ? '' : 'line'].filter(Boolean);
  return { text, section: ['rollout', ...variant].join('-'), figures, results };
}

/** Rexdeploy on connections that rest since its last deployment, and where none is open. */
const OWN = ['ours', 'anew'];

const words = (text, all) => {
  if (text === undefined) return all;
  const chosen = text.split(',').filter((word) => word !== '');
  const wrong = chosen.find((word) => !all.includes(word));
  if (wrong !== undefined) throw new Error(`there is no ${wrong}; there are ${all.join(', ')}`);
  return chosen;
};

function configOf(given, { line }) {
  const transfer = {
    ...(given.reuse === undefined ? {} : { reuse: given.reuse }),
    ...(given.parallel === undefined ? {} : { parallel: given.parallel }),
  };
  return {
    ...(Object.keys(transfer).length > 0 ? { transfer } : {}),
    // Over a line the question for health has to travel too, as everything else.
    ...(line === undefined ? {} : { health: { from: 'host' } }),
  };
}

/** @returns for each contender its measurements, one for each round */
async function measureItem(item, { pairs, peers, freshTimes, line, deadline, countsBytes }, name, say) {
  const contenders = [...OWN, ...peers];
  const stand = await startStand({ hosts: item.hosts, names: contenders.length, ours: OWN.length, line, name });
  try {
    const tree = new Tree(join(stand.fleet.dir, 'tree'), item);
    tree.add('app.pl', APP_PROGRAM, 0o755);
    const meters = new Meters(stand);
    const idleRate = await meters.idleRate(pairs === 0 ? 100 : 2_000);
    const sites = new Map(contenders.map((who, at) => [who, stand.fleet.names[at].name]));
    const bench = { item, tree, sites, idleRate, freshTimes };
    const runs = Object.fromEntries(contenders.map((who) => [who, []]));
    // The round before the first one is not counted (but where it is the only one): it brings what warm rounds change, and
    // warms up who lives on.
    for (let round = 0; round <= pairs; round += 1) {
      if (round > 1 && Date.now() > deadline) {
        say(`  time is up after ${round - 1} of ${pairs} rounds`);
        break;
      }
      for (const [who, measured] of await rollAll(stand, meters, bench, round)) {
        if (round > 0 || pairs === 0) runs[who].push(measured);
        say(`  ${round === 0 ? 'warm-up' : `round ${round}`} ${who}: ${measured.seconds.toFixed(2)} s`);
      }
    }
    const bytes = {};
    const counted = countsBytes ? await stand.counted() : undefined;
    const last = counted === undefined ? [] : await rollAll(counted, new Meters(counted), bench, pairs + 1);
    for (const [who, { bytesUp, bytesDown }] of last) {
      bytes[who] = { bytesUp, bytesDown };
    }
    rmSync(tree.dir, { recursive: true, force: true });
    return { runs, bytes };
  } finally {
    await stand.close();
  }
}

/** One round: every contender brings the same version to its own instances. @returns who and what was measured, in order */
async function rollAll(stand, meters, { item, tree, sites, idleRate, freshTimes }, round) {
  if (item.cold !== true && round > 0) tree.change(item.changed, freshTimes);
  const all = [];
  for (const who of rotated([...sites.keys()], round)) {
    const site = sites.get(who);
    if (item.cold === true) await wipe(stand, site);
    const measured = OWN.includes(who)
      ? await deployOurs(stand, meters, { name: site, dir: tree.dir, idleRate, anew: who === 'anew' })
      : await deployByScript(stand, meters, { mode: who, name: site, tree, release: `r${round}` });
    await mustBeDeployed(stand, site, tree);
    if (item.cold === true) await wipe(stand, site);
    else if (!OWN.includes(who)) pruneReleases(stand, site);
    all.push([who, measured]);
  }
  return all;
}

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

/** When what happened, for whoever looks for time. */
function eventTimes({ events }) {
  const first = Date.parse(events[0].at);
  const line = ({ type, at, instance = '', step = '', mark = '', ms }) =>
    `  ${String(Date.parse(at) - first).padStart(6)} ms  ${[type, instance, step, mark].filter(Boolean).join(' ')}${ms === undefined ? '' : `  (${ms} ms)`}`;
  return events
    .filter(({ type }) => type !== 'end')
    .map(line)
    .join('\n');
}
