import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { TransferError } from '@rexdeploy/shared/errors/host-errors';
import type { InstanceFacts } from '../hosts/inspect.js';

/** Left free besides the release itself, for logs and whatever else runs there. */
const RESERVE_BYTES = 16 * 1024 ** 2;

/** @throws TransferError naming needed and available when the release does not fit on the host */
export function checkSpace(instance: ResolvedInstance, facts: InstanceFacts, releaseBytes: number): void {
  const needed = releaseBytes + RESERVE_BYTES;
  const available = facts.program.freeKib * 1024;
  if (available >= needed) return;
  throw new TransferError({
    host: instance.host,
    what: `${instance.key} needs ${needed} bytes beside ${instance.programDir}, ${available} are available`,
    whatToDo: 'free space on the host, or lower keep_releases',
  });
}
