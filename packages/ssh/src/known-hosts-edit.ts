import { randomBytes } from 'node:crypto';
import { knownHostsName } from './address.js';
import type { HostKey } from './host-key.js';
import { coversHost, hashName, parseKnownHosts } from './known-hosts-line.js';

/** Length of OpenSSH's salts: that of a SHA-1 digest (hostfile.c). */
const SALT_BYTES = 20;

/** The text of a known_hosts file with one more key at its end. */
export function withKey(text: string, host: string, port: number, key: HostKey, hash: boolean): string {
  const name = knownHostsName(host, port);
  const field = hash ? hashName(name, randomBytes(SALT_BYTES)) : name;
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${separator}${field} ${key.type} ${key.blob.toString('base64')}\n`;
}

/**
 * The text without a host's keys of one type. A line for several names loses this name only; one that covers the host
 * by a wildcard stays, because it speaks for other hosts.
 */
export function withoutKeys(text: string, host: string, port: number, type: string): string {
  const name = knownHostsName(host, port);
  const lines: (string | undefined)[] = text.split('\n');
  for (const line of parseKnownHosts(text)) {
    if (line.type !== type || line.marker !== undefined || !coversHost(line.hosts, name)) continue;
    const names = line.hosts.split(',');
    const others = names.filter((each) => each.toLowerCase() !== name);
    if (names.length === 1 && (line.hosts.startsWith('|') || others.length === 0)) lines[line.index] = undefined;
    else lines[line.index] = lines[line.index]?.replace(line.hosts, () => others.join(','));
  }
  return lines.filter((line) => line !== undefined).join('\n');
}
