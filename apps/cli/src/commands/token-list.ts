import type { TokenRecord } from '@rexdeploy/shared/tokens';
import type { Command } from 'commander';
import { configOf } from '../config-of.js';
import { print, printJson } from '../output.js';
import { table } from '../render/table.js';
import { withTokens } from '../with-tokens.js';

/** `rex token list`: who may use the API; the tokens themselves are not known. */
export function addTokenList(parent: Command): void {
  parent
    .command('list')
    .description('list the tokens, masked')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const records = await withTokens(configOf(command), (tokens) => tokens.list());
      if (options.json) return printJson(records.map(view));
      if (records.length === 0) return print('no tokens; make one with: rex token create --name ci');
      const rows = records.map(view).map((row) => Object.values({ ...row, expires: row.expires ?? 'never' }));
      print(table(['NAME', 'TOKEN', 'ROLE', 'NAMES', 'CREATED', 'EXPIRES', 'LAST USED'], rows));
    });
}

function view(record: TokenRecord) {
  return {
    name: record.name,
    token: record.masked,
    role: record.role,
    names: record.names,
    created: instant(record.created),
    expires: instant(record.expires),
    last_used: instant(record.lastUsed),
  };
}

const instant = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString());
