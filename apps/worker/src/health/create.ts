import type { ResolvedHealth } from '@rexdeploy/shared/config/resolved';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { Transport } from '@rexdeploy/ssh/transport';
import type { HealthCheck } from './check.js';
import { CommandOnHost } from './command.js';
import { TcpPort } from './tcp.js';
import { UrlFromHost } from './url-from-host.js';
import { UrlFromWorker } from './url-from-worker.js';

/**
 * The check that the configuration names.
 * @param url its address, filled in
 * @param connect to the instance's host; called only by checks that are made there
 */
export function createCheck(url: string, health: ResolvedHealth, connect: () => Promise<Transport>): HealthCheck {
  switch (health.kind) {
    case 'url':
      if (health.from === 'worker') return new UrlFromWorker(url, health);
      return new UrlFromHost(url, health, reachOf(health).host, connect);
    case 'tcp':
      return new TcpPort(url, health.timeout);
    case 'command':
      return new CommandOnHost(health, reachOf(health), connect);
  }
}

function reachOf({ reach }: ResolvedHealth): NonNullable<ResolvedHealth['reach']> {
  if (reach === undefined) throw new RexError({ what: 'the health check names no host that makes it' });
  return reach;
}
