import type { Command } from 'commander';
import { startsJob } from '../start.js';

/** `rex checkurl`: the health check of each instance, once. */
export function addCheckUrl(parent: Command): void {
  const command = parent
    .command('checkurl')
    .description('make the health check of each instance once; exits 1 when one is not healthy')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes');
  startsJob(command, 'checkurl');
}
