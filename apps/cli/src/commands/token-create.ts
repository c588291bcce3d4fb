import { IDENTIFIER } from '@rexdeploy/shared/config/primitives';
import { type Role, roleSchema } from '@rexdeploy/shared/tokens';
import { parseDurationMs } from '@rexdeploy/shared/units';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { configOf } from '../config-of.js';
import { note, print, printJson } from '../output.js';
import { withTokens } from '../with-tokens.js';

interface Options {
  name: string;
  role: Role;
  names: string;
  /** Lifetime in milliseconds. */
  expires?: number;
  json?: true;
}

/** `rex token create`: makes a token and prints it, this once. */
export function addTokenCreate(parent: Command): void {
  parent
    .command('create')
    .description('make a token and print it once')
    .requiredOption('--name <name>', 'what to call it', tokenName)
    .addOption(new Option('--role <role>', 'what it may do').choices(roleSchema.options).default('deployer'))
    .option('--names <patterns>', "names it may deploy, e.g. 'server,shop*'", namePatterns, '*')
    .option('--expires <duration>', 'lifetime, e.g. 90d (default: for ever)', lifetime)
    .option('--json', 'print JSON')
    .action(async (options: Options, command: Command) => {
      const expiresMs = options.expires === undefined ? undefined : Date.now() + options.expires;
      const { name, role, names } = options;
      const spec = { name, role, names, ...(expiresMs === undefined ? {} : { expiresMs }) };
      const token = await withTokens(configOf(command), (tokens) => tokens.create(spec));
      const expires = expiresMs === undefined ? null : new Date(expiresMs).toISOString();
      if (options.json) return printJson({ name, token, role, names, expires });
      print(token);
      note(`token "${name}": role ${role}, names ${names}, ${expires === null ? 'never expires' : `until ${expires}`}`);
      note('It is shown this once: only its SHA-256 is kept.');
    });
}

function tokenName(text: string): string {
  if (IDENTIFIER.test(text)) return text;
  throw new InvalidArgumentError('Letters, digits, "_", "." and "-", at most 64.');
}

function namePatterns(text: string): string {
  const patterns = text.split(',').map((pattern) => pattern.trim());
  if (patterns.every((pattern) => /^[A-Za-z0-9_.*-]{1,64}$/.test(pattern))) return patterns.join(',');
  throw new InvalidArgumentError('Names separated by commas; * stands for any text.');
}

function lifetime(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('A duration such as 12h or 90d.');
}
