import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { at } from './client.js';
import type { Stand } from './stand.js';

/** What tests do about releases, one after another. */

/** Where the program of the test environment lies, which is what is deployed. */
export const uatProgram = ({ fleet }: Stand, name = 'server'): string => fleet.uatDirs.get(name)?.programDir ?? '';

/** The next deployment brings a program that calls itself so. */
export const writeVersion = (stand: Stand, version: string, name = 'server'): void =>
  writeFileSync(join(uatProgram(stand, name), 'version.txt'), `${version}\n`);

/** Deploys a program that calls itself so, to a name or one of its instances. @returns the job's id and the releases' stamp */
export async function deployVersion(
  stand: Stand,
  version: string,
  k = 'server',
): Promise<{ id: string; stamp: string }> {
  const { client, fleet } = stand;
  writeVersion(stand, version, fleet.instances.find(({ key }) => key === k)?.name ?? k);
  const { body } = await client.deploy({ k, senv: 'uat' });
  if (body.msg !== undefined) throw new Error(body.msg);
  const after = String(at(body, 'data', 'data', '0', 'data', '0', 'deloy_prodir_after'));
  return { id: body.job?.id ?? '', stamp: after.slice(-15) };
}

/** Makes the service of an instance refuse to start one version. @param options.until not before this file is gone */
export async function refuseVersion(
  { fleet }: Stand,
  key: string,
  version: string,
  { until = '' }: { until?: string } = {},
): Promise<void> {
  const { service, programDir } = fleet.instance(key);
  const script = `#!/bin/sh
if [ "$1" = start ] && grep -q ${version} ${programDir}/version.txt; then
  while [ -e '${until}' ]; do sleep 0.02; done
  echo no licence; exit 7
fi
exec ${service}-real "$@"
`;
  await fleet.hostOf(key).ssh(`mv ${service} ${service}-real && cat > ${service} && chmod +x ${service}`, script);
}

/** Makes it start everything again. */
export async function refuseNothing({ fleet }: Stand, key: string): Promise<void> {
  const { service } = fleet.instance(key);
  await fleet.hostOf(key).ssh(`mv ${service}-real ${service}`);
}

/** Takes one kept program release from an instance's host. */
export function loseRelease({ fleet }: Stand, key: string, stamp: string): void {
  rmSync(`${fleet.instance(key).programDir}_${stamp}`, { recursive: true });
}

/** As if Redis had lost all deployments and kept all else. */
export async function forgetDeployments({ redis: { url } }: Stand): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.del(...(await redis.keys('rex:dep*')));
  } finally {
    redis.disconnect();
  }
}

/** Answers of all instances, in their order. */
export async function versions({ fleet }: Stand): Promise<(string | undefined)[]> {
  return Promise.all(fleet.instances.map(async (instance) => (await instance.observe()).version));
}

/** Steps that a job began, `<instance> <step>`, in order. */
export async function stepsOf({ client }: Stand, id: string): Promise<string[]> {
  const steps: string[] = [];
  for await (const { type, data } of client.events(id)) {
    if (type === 'step-started') steps.push(`${data.instance} ${data.step}`);
  }
  return steps;
}
