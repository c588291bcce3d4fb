import type { Command } from 'commander';
import { startsJob, switchOption } from '../start.js';

/** `rex unlock`: frees a name whose deployment is gone, and its hosts. */
export function addUnlock(parent: Command): void {
  const command = parent
    .command('unlock')
    .description('free a name whose deployment is gone, and its hosts; needs an admin token')
    .requiredOption('--k <name>', 'a name')
    .addOption(switchOption('--force [0|1]', 'cancel what lives first, break locks of other controllers'));
  startsJob(command, 'Deploy:Db:initdb');
}
