import type { Command } from 'commander';
import { withClient, withServerOptions } from '../server.js';
import { followAndShow } from '../show.js';

/** `rex watch`: a job's events from its start, then live, to its end. */
export function addWatch(parent: Command): void {
  const command = parent
    .command('watch')
    .description('follow a job from its start to its end; exits 1 when it fails')
    .argument('<job>', 'its id')
    .option('--json', 'print every event as a line of JSON, the final answer as the last one');
  withServerOptions(command).action((id: string, options: { json?: true }) =>
    withClient(command, (client) => followAndShow(client, id, options.json ? 'json-lines' : 'text')),
  );
}
