import type { Config, ReachedHost, ResolvedBalancer } from '@rexdeploy/shared/config/resolved';
import { UsageError } from './errors.js';

/** Port of SSH where neither command line nor config names one. */
const SSH_PORT = 22;

/** A host whose keys are to be trusted, and the files that are to say so. */
export interface TrustTarget {
  host: string;
  port: number;
  knownHosts: string[];
}

/** `web1`, `web1:2222`, `[::1]:2222`, `::1` → host and port. @throws UsageError when it is none of these */
export function parseHost(text: string): { host: string; port: number | undefined } {
  // A bare IPv6 address holds several colons, and none of them begins a port.
  const match =
    /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:\s]+)(?::(\d+))?$/.exec(text) ?? /^([0-9a-f:.]+)$/i.exec(text);
  const [, host, digits] = match ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (host !== undefined && (port === undefined || (port >= 1 && port <= 65_535))) return { host, port };
  throw new UsageError({ what: `"${text}" is no host`, whatToDo: 'write it as web1, web1:2222 or [::1]:2222' });
}

/**
 * Finds the known_hosts files of every environment that reaches the host, as an instance or as a balancer.
 * @throws UsageError when the config does not know the host, or knows it with several ports and none was given
 */
export function findTrustTarget(config: Config, host: string, port: number | undefined): TrustTarget {
  const known = reachedHosts(config).filter((each) => each.host.toLowerCase() === host.toLowerCase());
  const ports = [...new Set(known.map((each) => each.port))];
  const [onlyPort] = ports;
  const chosen = port ?? (ports.length === 1 ? onlyPort : ports.find((each) => each === SSH_PORT));
  const files = known.filter((each) => each.port === chosen).map((each) => each.knownHosts);
  if (chosen !== undefined && files.length > 0) return { host, port: chosen, knownHosts: [...new Set(files)] };
  const where = ports.length === 0 ? '' : `; the config reaches it on port ${ports.join(', ')}`;
  throw new UsageError({
    where: config.file,
    what: `no instance and no balancer is on ${port === undefined ? host : `${host}:${port}`}${where}`,
    whatToDo: 'check the host, or name the file with --known-hosts FILE',
  });
}

function reachedHosts(config: Config): { host: string; port: number; knownHosts: string }[] {
  const instances = [...config.environments.values()]
    .flatMap((environment) => [...environment.names.values()])
    .flatMap((name) => [...name.instances.values()]);
  return instances.flatMap(({ host, ssh, balancer }) => [
    { host, port: ssh.port, knownHosts: ssh.knownHosts },
    ...balancerHosts(balancer).map((each) => ({
      host: each.host,
      port: each.login.port,
      knownHosts: each.login.knownHosts,
    })),
  ]);
}

/** The host that a balancer is reached on by SSH, where there is one. */
function balancerHosts(balancer: ResolvedBalancer): ReachedHost[] {
  switch (balancer.type) {
    case 'nginx':
      return [balancer];
    case 'haproxy':
      return 'address' in balancer.reach ? [] : [balancer.reach];
    case 'command':
      return balancer.reach === undefined ? [] : [balancer.reach];
    case 'http':
    case 'none':
      return [];
  }
}

/** The target when the file is named on the command line: the config is not asked. */
export const givenTarget = (host: string, port: number | undefined, file: string): TrustTarget => ({
  host,
  port: port ?? SSH_PORT,
  knownHosts: [file],
});
