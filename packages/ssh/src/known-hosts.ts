import { knownHostsName, SSH_PORT } from './address.js';
import { fingerprint, type HostKey, keyType } from './host-key.js';
import { coversHost, type KnownHostsLine, parseKnownHosts } from './known-hosts-line.js';

export { fingerprint } from './host-key.js';

/** What a known_hosts file says about a key that a host presents. */
export type HostKeyVerdict =
  | { readonly verdict: 'trusted' }
  /** Nothing, or only keys of the other types named here. */
  | { readonly verdict: 'unknown'; readonly knownTypes: readonly string[] }
  /** Another key of the same type; their fingerprints. */
  | { readonly verdict: 'changed'; readonly expected: readonly string[] }
  | { readonly verdict: 'revoked' };

/**
 * Judges a host's key as OpenSSH does: a revoked key is refused, any equal key is trusted, another key of the same
 * type means the key changed. Pure.
 *
 * @param fileText contents of a known_hosts file
 * @param keyBlob the key in SSH wire format
 */
export function checkHostKey(fileText: string, host: string, port: number, keyBlob: Buffer): HostKeyVerdict {
  const lines = parseKnownHosts(fileText);
  const exact = linesFor(lines, host, port);
  // As OpenSSH: a key known for the host without a port also vouches for its other ports, but never accuses them.
  const vouching = port === SSH_PORT ? exact : [...exact, ...linesFor(lines, host, SSH_PORT)];
  const equal = vouching.filter((line) => line.blob.equals(keyBlob));
  if (equal.some((line) => line.marker === 'revoked')) return { verdict: 'revoked' };
  if (equal.length > 0) return { verdict: 'trusted' };
  const known = exact.filter((line) => line.marker === undefined);
  const expected = known.filter((line) => line.type === keyType(keyBlob)).map((line) => fingerprint(line.blob));
  if (expected.length > 0) return { verdict: 'changed', expected };
  return { verdict: 'unknown', knownTypes: [...new Set(known.map((line) => line.type))] };
}

/** Types of the keys known for a host, in the file's order, so that they can be asked for first. Pure. */
export function knownKeyTypes(fileText: string, host: string, port: number): string[] {
  return [...new Set(knownKeys(fileText, host, port).map((key) => key.type))];
}

/** Keys known for a host that are not revoked; those without a port count when there are none with it. Pure. */
export function knownKeys(fileText: string, host: string, port: number): HostKey[] {
  const lines = parseKnownHosts(fileText).filter((line) => line.marker === undefined);
  const exact = linesFor(lines, host, port);
  return exact.length > 0 ? exact : linesFor(lines, host, SSH_PORT);
}

function linesFor(lines: readonly KnownHostsLine[], host: string, port: number): KnownHostsLine[] {
  const name = knownHostsName(host, port);
  return lines.filter((line) => coversHost(line.hosts, name));
}
