import type { Config, ReachedHost, ResolvedBalancer, ResolvedSsh } from '@rexdeploy/shared/config/resolved';
import { jumpSettings } from '@rexdeploy/ssh/settings';
import type { SshSettings } from '@rexdeploy/ssh/transport';
import { UsageError } from './errors.js';

/** Port of SSH where neither command line nor config names one. */
const SSH_PORT = 22;

/** A host whose keys are to be trusted, and the files that are to say so. */
export interface TrustTarget {
  host: string;
  port: number;
  knownHosts: string[];
  /** The host through which it is reached. */
  via?: SshSettings | undefined;
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
 * Finds the known_hosts files of every environment that reaches the host, as an instance, a balancer or a jump host: one
 * target for each way to it, because what answers there may be another machine.
 * @throws UsageError when the config does not know the host, or knows it with several ports and none was given
 */
export function findTrustTargets(config: Config, host: string, port: number | undefined): TrustTarget[] {
  const known = reachedHosts(config).filter((each) => each.host.toLowerCase() === host.toLowerCase());
  const ports = [...new Set(known.map((each) => each.port))];
  const [onlyPort] = ports;
  const chosen = port ?? (ports.length === 1 ? onlyPort : ports.find((each) => each === SSH_PORT));
  const targets = chosen === undefined ? [] : targetsOf(host, chosen, known);
  if (targets.length > 0) return targets;
  const where = ports.length === 0 ? '' : `; the config reaches it on port ${ports.join(', ')}`;
  throw new UsageError({
    where: config.file,
    what: `no instance and no balancer is on ${port === undefined ? host : `${host}:${port}`}${where}`,
    whatToDo: 'check the host, or name the file with --known-hosts FILE',
  });
}

/** A host as one section reaches it. */
interface Reached {
  host: string;
  port: number;
  knownHosts: string;
  via: SshSettings | undefined;
}

function targetsOf(host: string, port: number, known: readonly Reached[]): TrustTarget[] {
  const targets = new Map<string, TrustTarget>();
  for (const { knownHosts, via } of known.filter((each) => each.port === port)) {
    const way = JSON.stringify(via ?? null);
    const files = targets.get(way)?.knownHosts ?? [];
    targets.set(way, { host, port, knownHosts: [...new Set([...files, knownHosts])], via });
  }
  return [...targets.values()];
}

function reachedHosts(config: Config): Reached[] {
  const instances = [...config.environments.values()]
    .flatMap((environment) => [...environment.names.values()])
    .flatMap((name) => [...name.instances.values()]);
  return instances.flatMap(({ host, ssh, balancer }) => [
    ...onTheWay(host, ssh),
    ...balancerHosts(balancer).flatMap((each) => onTheWay(each.host, each.login)),
  ]);
}

/** A host and those that it is reached through, each with what lies before it. */
function onTheWay(host: string, { jump = [], port, knownHosts, ...login }: ResolvedSsh): Reached[] {
  return [...jump, { ...login, host, port, knownHosts }].map((hop, index) => ({
    host: hop.host,
    port: hop.port,
    knownHosts: hop.knownHosts,
    via: jumpSettings({ ...hop, jump: jump.slice(0, index) }),
  }));
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
