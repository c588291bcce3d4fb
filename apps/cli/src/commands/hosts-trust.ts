import { resolve } from 'node:path';
import type { Command } from 'commander';
import { configOf } from '../config-of.js';
import type { TrustOptions } from '../trust-host.js';

interface Options extends TrustOptions {
  knownHosts?: string;
}

/** `rex hosts trust`: shows the keys of a host and, with consent, adds them to its known_hosts file. */
export function addHostsTrust(parent: Command): void {
  parent
    .command('trust')
    .description("show a host's keys and add them to its known_hosts file")
    .argument('<host[:port]>', 'a host of the config')
    .option('--replace', 'take out keys that have changed')
    .option('--yes', 'do not ask')
    .option('--known-hosts <file>', 'file to write (default: that of the host in the config)')
    .action(async (text: string, options: Options, command: Command) => {
      // SSH is loaded by the one command that needs it: all others, and Tab, begin the sooner.
      const { findTrustTargets, givenTarget, parseHost } = await import('../trust-target.js');
      const { trust } = await import('../trust-host.js');
      const { host, port } = parseHost(text);
      const targets =
        options.knownHosts === undefined
          ? findTrustTargets(configOf(command), host, port)
          : [givenTarget(host, port, resolve(options.knownHosts))];
      for (const target of targets) await trust(target, options);
    });
}
