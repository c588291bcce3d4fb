import { type Command, Option } from 'commander';
import { startsJob, switchOption } from '../start.js';

/** `rex service`: starts, stops or restarts instances, one after another. */
export function addService(parent: Command): void {
  const command = parent
    .command('service')
    .description('start, stop or restart instances, one after another; a restart goes through the balancer')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .addOption(new Option('--a <verb>', 'what to do').choices(['start', 'stop', 'restart']).makeOptionMandatory())
    .addOption(
      new Option('--when-busy <what>', 'when the name is being deployed').choices(['refuse', 'queue', 'supersede']),
    )
    .addOption(
      switchOption('--force [0|1]', 'also what is in rotation, or the last that serves; needs an admin token'),
    );
  startsJob(command, 'service');
}
