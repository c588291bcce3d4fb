/** What is done to instances between measurements. */
import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** As if nothing had ever been deployed. */
export async function wipe({ fleet }, name) {
  for (const instance of fleet.instances.filter((one) => one.name === name)) {
    await instance.runService('stop');
    for (const path of belonging(instance)) rmSync(path, { recursive: true, force: true });
  }
}

/** Removes what the scripts leave, except for the release in use. */
export function pruneReleases({ fleet }, name) {
  for (const instance of fleet.instances.filter((one) => one.name === name)) {
    const inUse = existsSync(instance.programDir) ? readlinkSync(instance.programDir) : '';
    for (const path of belonging(instance)) {
      if (path !== instance.programDir && path !== inUse) rmSync(path, { recursive: true, force: true });
    }
  }
}

/** The link, the releases, and the tool's own notes about them; other names' are beside them. */
function belonging({ programDir }) {
  const parent = dirname(programDir);
  const own = basename(programDir);
  const isOwn = (entry) => entry === own || entry.startsWith(`${own}_`) || entry.startsWith(`${own}.`);
  const within = (folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter(isOwn)
          .map((entry) => join(folder, entry))
      : [];
  return [...within(parent), ...within(join(parent, '.rexdeploy'))];
}
