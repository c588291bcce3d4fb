import type { Command } from 'commander';
import { withClient, withServerOptions } from '../server.js';
import { show } from '../show.js';

/** `rex status`: where a job stands now. */
export function addStatus(parent: Command): void {
  const command = parent
    .command('status')
    .description('show where a job stands; exits 1 when it failed')
    .argument('<job>', 'its id')
    .option('--json', 'print the answer as JSON');
  withServerOptions(command).action((id: string, options: { json?: true }) =>
    withClient(command, async (client) => show(await client.job(id), options.json === true)),
  );
}
