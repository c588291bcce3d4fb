import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import { httpGet } from '@rexdeploy/sandbox/http-get';
import { FIRST_STAMP, type FleetInstance, type Observation } from '@rexdeploy/sandbox/instance';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { Stand } from './stand.js';

/** What may differ from a sound stand, instance by instance, so that nothing else can hide behind it. */
export interface Allowed {
  /** Exactly these are out of rotation. */
  out?: readonly string[];
  /** Exactly these do not answer. */
  stopped?: readonly string[];
  /** On the hosts of these something half-made or a lock may lie: nobody could get there to remove it. */
  unreached?: readonly string[];
}

export interface SoundOptions {
  allow?: Allowed;
  /** Only the instances of this name are looked at, on a stand of many. */
  of?: string;
}

/** Requests through the balancer until each instance must have been met, whatever its turn. */
const MOST_VISITS = 200;
/** A balancer that was told to reload a moment ago may take so long to do it. */
const VISIT_MS = 20_000;

/**
 * What must hold after every deployment, however it went: each instance is linked to a complete release, runs from it
 * and gets requests, nothing half-made lies about, and nothing is locked or owed.
 * @returns the versions that the instances answer, in their order
 */
export async function expectSound(
  stand: Stand,
  { allow = {}, of }: SoundOptions = {},
): Promise<(string | undefined)[]> {
  const isMeant = (name: string): boolean => of === undefined || of === name;
  const fleet: Fleet = {
    ...stand.fleet,
    instances: stand.fleet.instances.filter(({ name }) => isMeant(name)),
    names: stand.fleet.names.filter(({ name }) => isMeant(name)),
  };
  const { out = [], stopped = [], unreached = [] } = allow;
  const inRotation = await rotationOf(fleet);
  const seen = await Promise.all(fleet.instances.map((instance) => instance.observe()));
  const found = fleet.instances.map((instance, at) => ({
    instance: instance.key,
    release: releaseOf(instance, seen[at]?.link),
    runs: runsOf(instance, seen[at]),
    inRotation: inRotation?.get(instance.key),
    halfMade: halfMade(instance),
    lockedOnHost: isLocked(instance),
  }));
  const wanted = fleet.instances.map(({ key, service }, at) => ({
    instance: key,
    release: 'complete',
    runs: service === undefined ? 'no service' : stopped.includes(key) ? 'nothing' : 'from its link',
    inRotation: inRotation === undefined ? undefined : !out.includes(key),
    // Only what one is allowed to leave is looked away from.
    ...(unreached.includes(key)
      ? { halfMade: found[at]?.halfMade, lockedOnHost: found[at]?.lockedOnHost }
      : { halfMade: [], lockedOnHost: false }),
  }));
  expect(found).toEqual(wanted);
  await Promise.all(
    fleet.names.map(({ name, keys }) => expectServed(fleet, name, without(keys, [...out, ...stopped]))),
  );
  for (const { name } of fleet.names) expect((await stand.client.get(`/names/${name}`)).body.data.lock).toEqual({});
  expect(await ledgerOf(stand)).toEqual([...out].sort());
  return seen.map(({ version }) => version);
}

function releaseOf({ programDir }: FleetInstance, link: string | undefined): string {
  if (link === undefined || !existsSync(link)) return 'link leads nowhere';
  const record = join(dirname(programDir), '.rexdeploy', `${basename(link)}.json`);
  return link.endsWith(FIRST_STAMP) || existsSync(record) ? 'complete' : `${link} has no record beside it`;
}

function runsOf({ service }: FleetInstance, seen: Observation | undefined): string {
  if (service === undefined) return 'no service';
  if (seen?.health === undefined) return 'nothing';
  return seen.health.release === seen.link ? 'from its link' : `${seen.health.version} from ${seen.health.release}`;
}

/** Everything of a release that was begun and not ended. */
function halfMade({ programDir, configDir }: FleetInstance): string[] {
  const folders = new Set([programDir, configDir].map((dir) => dirname(dir)));
  return [...folders].flatMap((folder) =>
    [folder, join(folder, '.rexdeploy')].flatMap(listingOf).filter((name) => /\.partial$|\.rex-new$/.test(name)),
  );
}

const isLocked = ({ programDir }: FleetInstance): boolean =>
  existsSync(join(dirname(programDir), '.rexdeploy', `${basename(programDir)}.lock`));

const listingOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

const without = (keys: readonly string[], left: readonly string[]): string[] =>
  keys.filter((key) => !left.includes(key));

/** What the balancer itself says; undefined without one. */
async function rotationOf({ nginx, haproxy, names, instances }: Fleet): Promise<Map<string, boolean> | undefined> {
  if (nginx !== undefined) {
    const lines = names.flatMap(({ name }) => nginx.upstream(name));
    return new Map(
      instances.map(({ key, host, port }) => [
        key,
        lines.find((line) => line.address === host && line.port === port)?.down === false,
      ]),
    );
  }
  if (haproxy === undefined) return undefined;
  const servers = (await Promise.all(names.map(({ name }) => haproxy.servers(name)))).flat();
  return new Map(servers.map(({ name, state }) => [name, state === 'ready']));
}

/** Each of these gets requests, and nobody else: a file may say so while the program still goes by an older one. */
async function expectServed({ nginx, haproxy, instances }: Fleet, name: string, keys: string[]): Promise<void> {
  const url = (nginx ?? haproxy)?.urlOf(name);
  if (url === undefined || instances.some(({ service }) => service === undefined)) return;
  const met = new Set<string>();
  const begun = Date.now();
  const goesOn = (visit: number): boolean => visit < MOST_VISITS || Date.now() - begun < VISIT_MS;
  for (let visit = 0; visit < 3 * keys.length || (met.size < keys.length && goesOn(visit)); visit += 1) {
    const { body } = await httpGet(`${url}/`);
    met.add(/ instance (\S+)/.exec(body)?.[1] ?? body);
  }
  expect([...met].sort()).toEqual([...keys].sort());
}

/** Instances that are out of rotation by our hand, as Redis has it. */
async function ledgerOf({ redis: { url } }: Stand): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return (await redis.hkeys('rex:drained')).sort();
  } finally {
    redis.disconnect();
  }
}
