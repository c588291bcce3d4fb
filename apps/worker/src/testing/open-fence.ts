import { fold } from '@rexdeploy/shared/journal/reduce';
import type { Transport } from '@rexdeploy/ssh/transport';
import { fenced } from '../hosts/fence.js';

/** The fence of a deployment that nobody takes over, for drivers that are tried on their own. @param folder on the host */
export function openFence(inner: Transport, folder: string): Transport {
  const id = 'dep-driver';
  const request = {
    action: 'deploy',
    k: 'server',
    name: 'server',
    batches: [['server1']],
    source: { kind: 'none' as const },
    full: '1' as const,
    dryRun: false,
    sprint: false,
    param: {},
    by: 'tests',
  };
  const state = fold([{ type: 'accepted', at: new Date().toISOString(), id, request, stampMs: Date.now() }]);
  if (state === undefined) throw new Error('a journal with an event has a state');
  const journal = { id, epoch: 1, state, confirm: () => Promise.resolve() };
  return fenced(inner, { folder, name: 'driver', mode: 'check' }, { controller: 'tests', worker: 'tests', journal });
}
