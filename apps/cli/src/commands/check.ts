import type { Command } from 'commander';
import { startsJob } from '../start.js';

/** `rex check`: looks at all that a deployment would need, and touches nothing. */
export function addCheck(parent: Command): void {
  const command = parent
    .command('check')
    .description('look at all that a deployment would need, touch nothing; exits 1 when something is missing')
    .requiredOption('--k <name>', 'a name, or instance keys of one name in quotes');
  startsJob(command, 'check');
}
