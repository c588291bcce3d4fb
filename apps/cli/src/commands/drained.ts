import type { Command } from 'commander';
import { print, printJson } from '../output.js';
import { table } from '../render/table.js';
import { withClient, withServerOptions } from '../server.js';

/** `rex drained`: what is out of rotation by our hand. */
export function addDrained(parent: Command): void {
  const command = parent
    .command('drained')
    .description('list the instances that are out of rotation by our hand')
    .option('--json', 'print JSON');
  withServerOptions(command).action(({ json }: { json?: true }) =>
    withClient(command, async (client) => {
      const entries = await client.drained();
      if (json) return printJson(entries);
      const rows = entries.map(({ k, instance, since, deployment, kept }) => [k, instance, since, deployment, kept]);
      print(rows.length === 0 ? 'none' : table(['K', 'INSTANCE', 'SINCE', 'FOR', 'KEPT BECAUSE'], rows));
    }),
  );
}
