import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Client } from './client.js';
import { configFileOf, configOf } from './config-of.js';
import { UsageError } from './errors.js';
import { readUserConfig, type UserConfig, userConfigFile } from './user-config.js';

/** Where the API listens when nothing says otherwise (contract: design §3). */
const DEFAULT_SERVER = 'http://127.0.0.1:3000';

/** Adds the options that every command needs which talks to the API. */
export function withServerOptions(command: Command): Command {
  return command
    .option(
      '--server <url>',
      'address of the API (default: REX_SERVER, else ~/.config/rex/config.yml, else the config)',
    )
    .option('--token <token>', 'token (default: REX_TOKEN, else ~/.config/rex/config.yml)');
}

/** The API to talk to, and as whom. */
export interface Target {
  server: URL;
  token: string;
}

/**
 * Runs `use` with a client of the API that the command line, the environment, the user's or the controller's config names.
 * @throws UsageError when there is no token, or no address to go to
 */
export async function withClient<T>(command: Command, use: (client: Client) => Promise<T>): Promise<T> {
  const { server, token } = findTarget(command, command.opts<UserConfig>());
  const client = new Client(server, token);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/**
 * @param given what the command line says; it comes first
 * @throws UsageError when there is no token, or no address to go to
 */
export function findTarget(command: Command, given: UserConfig): Target {
  const { REX_TOKEN, REX_SERVER } = process.env;
  let own: UserConfig | undefined;
  // Read only when something is missing: a file that is broken must not stop whoever says all.
  const user = (): UserConfig => {
    own ??= readUserConfig();
    return own;
  };
  const token = given.token || REX_TOKEN || user().token || '';
  if (token === '') {
    throw new UsageError({
      what: 'no token',
      whatToDo: `give one with --token, REX_TOKEN or in ${userConfigFile()}; \`rex token create --name me\` makes one`,
    });
  }
  return { server: addressOf(given.server || REX_SERVER || user().server || configured(command)), token };
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
