import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import type { JsonObject } from '@rexdeploy/sandbox/merge';

/** Keeps the balancer from being changed: whoever changes its file locks the folder first. @returns lets it be changed */
export function holdBalancer({ lb }: Fleet): () => void {
  if (lb === undefined) throw new Error('the fleet has no balancer');
  const held = join(lb.dir, 'held');
  writeFileSync(held, '');
  lb.putCommand('flock', `#!/bin/sh\nwhile [ -e '${held}' ]; do sleep 0.02; done\nexec /usr/bin/flock "$@"\n`);
  return () => rmSync(held);
}

/**
 * Holds every switch before it stops its app, so that a test can act while an instance is drained, however long that takes:
 * steps take milliseconds, and news of them takes longer on a machine that is busy.
 */
const heldFile = ({ dir }: Pick<Fleet, 'dir'>): string => join(dir, 'held');

/** To be laid over the config of a stand whose switches are to be held. */
export const heldSwitches = (fleet: Fleet): JsonObject => {
  const hooks = { before_stop: `while [ -e '${heldFile(fleet)}' ]; do sleep 0.02; done` };
  return { environments: { prod: { names: { server: { hooks } } } } };
};

/** From now on each switch waits. @returns lets all of them go on */
export function holdSwitches(fleet: Fleet): () => void {
  writeFileSync(heldFile(fleet), '');
  return () => rmSync(heldFile(fleet));
}
