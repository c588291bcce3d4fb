import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { servicePort } from '../service-port.js';
import type { ServerState } from './runtime-state.js';

type Instance = Pick<ResolvedInstance, 'key' | 'host' | 'balancerPort' | 'health'>;

/** The one server of the backend that stands for the instance, or why there is none. */
export type Choice = { server: ServerState } | { problem: string };

/** @param addresses all that the instance's host may be called in HAProxy */
export function chooseServer(
  servers: readonly ServerState[],
  name: string | undefined,
  instance: Instance,
  addresses: readonly string[],
): Choice {
  const port = servicePort(instance);
  const own = servers.filter((server) =>
    name !== undefined ? server.name === name : addresses.some((address) => isAt(server, address)),
  );
  const exact = own.length > 1 || instance.balancerPort !== undefined;
  const matching = exact && name === undefined && port !== undefined ? own.filter((each) => each.port === port) : own;
  const [server] = matching;
  if (server !== undefined && matching.length === 1) return { server };
  const wanted = name ?? (exact && port !== undefined ? `${instance.host}:${port}` : instance.host);
  const known = servers.map((each) => `${each.name} (${each.address}:${each.port})`).join(', ') || 'none';
  const count = server === undefined ? 'no server' : 'more than one server';
  return { problem: `${count} ${name === undefined ? 'at ' : ''}${wanted} for ${instance.key}; there are: ${known}` };
}

/** The host as it is written and, where that is a name, what it resolves to here. */
export async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  return [host, ...found.map(({ address }) => address)];
}

const isAt = (server: ServerState, address: string): boolean =>
  server.address === address || server.fqdn?.toLowerCase() === address.toLowerCase();
