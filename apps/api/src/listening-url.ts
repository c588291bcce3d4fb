import type { AddressInfo } from 'node:net';

/** The address to reach the API at, as seen from this machine. */
export function listeningUrl(bound: AddressInfo | string | null, configuredHost: string): string {
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const everywhere = configuredHost === '0.0.0.0' || configuredHost === '::';
  const host = everywhere ? '127.0.0.1' : configuredHost.includes(':') ? `[${configuredHost}]` : configuredHost;
  return `http://${host}:${port}`;
}
