import type { Fleet } from '@rexdeploy/sandbox/fleet';
import { Random } from '@rexdeploy/sandbox/random';
import { expect } from 'vitest';
import { test } from '../support/stand.js';
import { type Before, violations } from './allowed.js';
import { Lane } from './lane.js';
import { rollDice, run } from './run.js';

/**
 * Random roll-outs with a random fault at a random moment end in a state that the rules allow, whatever the dice say.
 * `REX_SEED` repeats a series; `REX_RUNS=200 npx vitest run tests/property` is the long one.
 */
const SEED = Number(process.env.REX_SEED ?? Date.now() % 1_000_000);
const RUNS = Number(process.env.REX_RUNS ?? 8);
/** How many instances each of the names has. */
const SIZES = [2, 3, 4, 6];

test(`${RUNS} random roll-outs without a violation`, { timeout: 120_000 + RUNS * 20_000 }, async ({ start }) => {
  const dice = new Random(SEED);
  const stand = await start({
    workers: 3,
    fleet: { names: SIZES.length, instances: 6, app: false, balancer: 'none', program: { sizeBytes: 3_000, files: 3 } },
    config: (fleet) => {
      lanes = fleet.names.map(({ name }, at): Lane => {
        const own = fleet.instances.filter((instance) => instance.name === name).slice(0, SIZES[at]);
        return new Lane(name, own, fleet.dir);
      });
      return {
        api: { rate_limit: 1_000_000 },
        worker: { concurrency: 4, lock: '1500ms', stalled_check: '300ms', sweep_after: '10m' },
        environments: {
          prod: {
            names: Object.fromEntries(
              lanes.map((lane) => [lane.name, lane.config(batchesOf(lane, dice), keysOf(fleet, lane.name))]),
            ),
          },
        },
      };
    },
  });
  for (const lane of lanes) lane.start(stand.fleet.env);
  const seen = new Map<string, number>();
  const bad: string[] = [];
  let runs = 0;
  await Promise.all(
    lanes.map(async (lane, at) => {
      const random = new Random(SEED + 1 + at);
      for (let turn = 1; turn <= RUNS / SIZES.length && bad.length === 0; turn += 1) {
        lane.mend();
        const before: Before = new Map(lane.instances.map((instance) => [instance.key, lane.look(instance)]));
        const chances = rollDice(random, SEED, lane, `v${turn}`);
        const events = await run(stand, lane, chances);
        const state = String((events.at(-1)?.data.job as { state?: string } | undefined)?.state);
        seen.set(`${chances.fault} ${state}`, (seen.get(`${chances.fault} ${state}`) ?? 0) + 1);
        runs += 1;
        const found = violations(lane, chances, before, events);
        if (found.length > 0) bad.push(JSON.stringify({ lane: lane.name, ...chances, found }, undefined, 1));
      }
    }),
  );
  console.log(
    `seed ${SEED}: ${runs} runs: ${[...seen]
      .sort()
      .map(([what, times]) => `${what} ×${times}`)
      .join(', ')}`,
  );
  expect(bad).toEqual([]);
});

let lanes: Lane[] = [];

const keysOf = (fleet: Fleet, name: string): string[] =>
  fleet.instances.filter((instance) => instance.name === name).map(({ key }) => key);

/** Random batches, never all instances in one: a balancer needs somebody to send to. */
function batchesOf(lane: Lane, random: Random): string[] {
  const batches: string[][] = [];
  for (const { key } of lane.instances) {
    const last = batches.at(-1);
    if (last === undefined || random.fraction() < 0.6 || last.length >= lane.instances.length - 1) batches.push([key]);
    else last.push(key);
  }
  return batches.map((batch) => batch.join(' '));
}
