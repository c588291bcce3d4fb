/** What lies on the hosts of a fleet: the program in two versions, the instances, and the packages of uat. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetHost } from './fleet-host.js';
import type { NamePlan } from './fleet-names.js';
import { FleetInstance, placeRelease } from './instance.js';
import { findFreePort } from './ports.js';
import { changeProgram, makeConfig, makeProgram, type ProgramSize, SMALL_PROGRAM } from './program.js';

/** v1, which the instances run at first, and v2, which is to be deployed. */
export async function makePrograms(
  dir: string,
  options: { program?: Partial<ProgramSize>; changed?: number },
): Promise<{ dir: string; v1: string; v2: string }> {
  const programs = join(dir, 'programs');
  const [v1, v2] = [join(programs, 'v1'), join(programs, 'v2')];
  makeProgram(v1, { ...SMALL_PROGRAM, ...options.program, version: 'v1' });
  cpSync(v1, v2, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  changeProgram(v2, { fraction: options.changed ?? 0.1, version: 'v2' });
  return { dir: programs, v1, v2 };
}

/** The instances of all names; one name's instances are on different hosts, names share the hosts. */
export async function makeInstances(
  plans: readonly NamePlan[],
  hosts: readonly FleetHost[],
  id: string,
  hasApp: boolean,
  env: Readonly<Record<string, string>>,
): Promise<FleetInstance[]> {
  const instances: FleetInstance[] = [];
  const taken = new Set<string>();
  for (const { name, keys } of plans) {
    for (const [at, key] of keys.entries()) {
      const host = hosts[at];
      if (host === undefined) throw new Error(`no host for ${key}`);
      let port = await findFreePort(host.address);
      while (taken.has(`${host.address}:${port}`)) port = await findFreePort(host.address);
      taken.add(`${host.address}:${port}`);
      const facts = {
        key,
        name,
        host: host.address,
        port,
        hostDir: host.dir,
        ...dirsOf(host.dir, name, at),
        service: hasApp ? join(host.dir, 'etc/init.d', `app-${key}`) : undefined,
        // Ends with a word of its own, so that server1 is not found in server10.
        process: `${id}-${key}-app`,
        url: `http://${host.address}:${port}`,
      };
      instances.push(new FleetInstance(facts, env));
    }
  }
  return instances;
}

/** `html1` and `config1` for the first instance of `server`; further names stand in front. */
function dirsOf(hostDir: string, name: string, at: number): { programDir: string; configDir: string } {
  const prefix = name === 'server' ? '' : `${name}-`;
  const www = join(hostDir, 'data/www');
  return { programDir: join(www, `${prefix}html${at + 1}`), configDir: join(www, `${prefix}config${at + 1}`) };
}

/** Puts the package of every name on the uat host; the last name gets the tree itself, the others copies. */
export async function fillUat(
  plans: readonly NamePlan[],
  uat: FleetHost,
  program: string,
): Promise<Map<string, { programDir: string; configDir: string }>> {
  const places = new Map<string, { programDir: string; configDir: string }>();
  for (const [at, { name, keys }] of plans.entries()) {
    const dirs = dirsOf(uat.dir, name, 0);
    const own = at === plans.length - 1 ? program : `${program}-${name}`;
    if (own !== program) cpSync(program, own, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const config = `${own}-config`;
    makeConfig(config, `uat-${keys[0] ?? name}`);
    await placeRelease(own, dirs.programDir);
    await placeRelease(config, dirs.configDir);
    places.set(name, dirs);
  }
  return places;
}
