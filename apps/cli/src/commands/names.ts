import type { Command } from 'commander';
import { print, printJson } from '../output.js';
import { table } from '../render/table.js';
import { withClient, withServerOptions } from '../server.js';

/** `rex names`: the names that the token is for, with their instances. */
export function addNames(parent: Command): void {
  const command = parent.command('names').description('list names and their instances').option('--json', 'print JSON');
  withServerOptions(command).action(({ json }: { json?: true }) =>
    withClient(command, async (client) => {
      const names = await client.names();
      if (json) return printJson(names);
      const rows = names.map(({ k, desc, batches, lock }) => [
        k,
        Object.values(batches).join(', '),
        'state' in lock ? String(lock.state) : '',
        desc,
      ]);
      print(rows.length === 0 ? 'no names' : table(['NAME', 'BATCHES', 'BUSY', 'DESCRIPTION'], rows));
    }),
  );
}
