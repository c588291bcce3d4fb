import type { Command } from 'commander';
import { askSecret } from '../ask.js';
import { Client } from '../client.js';
import { note } from '../output.js';
import { findTarget, withServerOptions } from '../server.js';
import { type UserConfig, userConfigFile, writeUserConfig } from '../user-config.js';

/** `rex login`: tries a token, and keeps it with the server's address for the commands to come. */
export function addLogin(parent: Command): void {
  const command = parent
    .command('login')
    .description('try a token and keep it, with the address of the API, in ~/.config/rex/config.yml');
  withServerOptions(command).action(async (options: UserConfig) => {
    const token = options.token || (await askSecret('token: '));
    const { server } = findTarget(command, { ...options, token });
    const client = new Client(server, token);
    try {
      // The least that every role may do.
      await client.jobs({ limit: '1' });
    } finally {
      await client.close();
    }
    const file = userConfigFile();
    await writeUserConfig(file, { server: server.href.replace(/\/$/, ''), token });
    note(`rex: ${server.href} takes the token; kept in ${file}, readable by you alone`);
  });
}
