import type { Command } from 'commander';
import { configOf } from '../config-of.js';
import { note } from '../output.js';
import { withTokens } from '../with-tokens.js';

/** `rex token revoke`: the API refuses the token from the next request on. */
export function addTokenRevoke(parent: Command): void {
  parent
    .command('revoke')
    .description('take a token away; it stops working at once')
    .requiredOption('--name <name>', 'what it is called')
    .action(async ({ name }: { name: string }, command: Command) => {
      await withTokens(configOf(command), (tokens) => tokens.revoke(name));
      note(`token "${name}" revoked`);
    });
}
