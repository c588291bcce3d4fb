/** Port that is left out wherever a host is named (IANA, RFC 4253 §4.1). */
export const SSH_PORT = 22;

/** A host as messages and `rex hosts trust` write it: `web1`, `web1:2222`, `[::1]:2222`. */
export function address(host: string, port: number): string {
  if (port === SSH_PORT) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host as known_hosts writes it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): `web1`, `[web1]:2222`, lower case. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === SSH_PORT ? name : `[${name}]:${port}`;
}
