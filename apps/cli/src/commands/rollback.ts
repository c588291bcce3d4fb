import { type Command, Option } from 'commander';
import { rolloutOptions, startsJob } from '../start.js';

/** `rex rollback`: back to the former release, the marked one, or any that is kept. */
export function addRollback(parent: Command): void {
  const command = parent
    .command('rollback')
    .description('go back to the former release, or to one that is kept')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .addOption(new Option('--to <release>', 'a release, e.g. 20180530_043756').conflicts('rollstatus'))
    .addOption(new Option('--rollstatus <0|1>', '0 the former release, 1 the marked one').choices(['0', '1']));
  startsJob(rolloutOptions(command), 'rollback');
}
