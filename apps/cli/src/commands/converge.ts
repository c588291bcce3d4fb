import type { Command } from 'commander';
import { rolloutOptions, startsJob } from '../start.js';

/** `rex converge`: brings a mixed fleet to one release. */
export function addConverge(parent: Command): void {
  const command = parent
    .command('converge')
    .description('bring all instances to one release, touching only those that differ')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes')
    .requiredOption('--to <release>', 'a release, newest or former');
  startsJob(rolloutOptions(command), 'converge');
}
