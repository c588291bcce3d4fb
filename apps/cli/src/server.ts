import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Client } from './client.js';
import { configFileOf, configOf } from './config-of.js';
import { UsageError } from './errors.js';

/** Where the API listens when nothing says otherwise (contract: design §3). */
const DEFAULT_SERVER = 'http://127.0.0.1:3000';

/** Adds the options that every command needs which talks to the API. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--server <url>', 'address of the API (default: REX_SERVER, else that of the config)')
    .option('--token <token>', 'token (default: REX_TOKEN)');
}

/**
 * Runs `use` with a client of the API that the command line, the environment or the config names.
 * @throws UsageError when there is no token, or no address to go to
 */
export async function withClient<T>(command: Command, use: (client: Client) => Promise<T>): Promise<T> {
  const options = command.opts<{ server?: string; token?: string }>();
  const token = options.token ?? process.env.REX_TOKEN ?? '';
  if (token === '') {
    throw new UsageError({
      what: 'no token',
      whatToDo: 'give one with --token or REX_TOKEN; `rex token create --name me` makes one',
    });
  }
  const client = new Client(addressOf(options.server || process.env.REX_SERVER || configured(command)), token);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function addressOf(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new UsageError({ what: `"${text}" is no address of an API`, whatToDo: `write it as ${DEFAULT_SERVER}` });
}

/** The address in the config. Whoever only talks to a server elsewhere needs no config at all. */
function configured(command: Command): string {
  if (!existsSync(configFileOf(command))) return DEFAULT_SERVER;
  const { file, api } = configOf(command);
  if (api.port === 0) {
    throw new UsageError({ where: file, what: 'api.port is 0: any free port', whatToDo: 'name the API with --server' });
  }
  const host = EVERYWHERE.get(api.host) ?? api.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${api.port}`;
}

/** An API that listens on all addresses also listens on loopback. */
const EVERYWHERE = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
