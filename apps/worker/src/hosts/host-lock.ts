import type { Transport } from '@rexdeploy/ssh/transport';
import { parseFacts } from './answers.js';
import { releaseFolder } from './release-folder.js';
import { scripts } from './remote-scripts.js';

/** Who holds an instance by a lock on its host; see fence.sh. */
export interface HostLock {
  controller: string;
  deployment: string;
  worker: string;
  /** By the host's clock. */
  since: string;
}

/** Reads an instance's lock; undefined when it is free. Changes nothing. */
export async function lookAtLock(
  host: Transport,
  programDir: string,
  signal: AbortSignal,
): Promise<HostLock | undefined> {
  const { folder, name } = releaseFolder(programDir);
  const { owner } = parseFacts((await host.run(scripts.lookLock, [folder, name], { signal })).stdout);
  if (owner === undefined) return undefined;
  const [controller = '', deployment = '', worker = '', since = ''] = owner.split(' ');
  return { controller, deployment, worker, since };
}
