import { readFile } from 'node:fs/promises';
import { HostError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { address } from './address.js';
import { fingerprint, keyType } from './host-key.js';
import { checkHostKey, type HostKeyVerdict } from './known-hosts.js';

/**
 * Reads a known_hosts file; one that does not exist knows nobody.
 *
 * @throws HostError when it exists and cannot be read
 */
export async function readKnownHosts(path: string, host: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new HostError({
      host,
      what: `the known_hosts file ${path} cannot be read`,
      whatToDo: 'check its path and permissions',
      cause: error,
    });
  }
}

/** Judges the key a host presents; undefined when it is trusted, else the error that says what was met and expected. */
export function judgeHostKey(
  knownHosts: string,
  host: string,
  port: number,
  keyBlob: Buffer,
): HostKeyError | undefined {
  const verdict = checkHostKey(knownHosts, host, port, keyBlob);
  return verdict.verdict === 'trusted' ? undefined : refusal(verdict, host, port, keyBlob);
}

/** The error for a key that is not trusted. */
export function refusal(
  verdict: Exclude<HostKeyVerdict, { verdict: 'trusted' }>,
  host: string,
  port: number,
  keyBlob: Buffer,
): HostKeyError {
  const print = fingerprint(keyBlob);
  const place = `${host}:${port}`;
  const key = `${keyType(keyBlob) ?? 'key'} ${print}`;
  const trust = `rex hosts trust ${address(host, port)}`;
  const facts = { host, where: address(host, port), fingerprint: print };
  switch (verdict.verdict) {
    case 'revoked':
      return new HostKeyError({
        ...facts,
        what: `the host key of ${place}, ${key}, is marked @revoked`,
        whatToDo: 'do not connect; give the host a new key',
      });
    case 'changed':
      return new HostKeyError({
        ...facts,
        what: `the host key of ${place} has changed: it presents ${key}, expected ${verdict.expected.join(' or ')}`,
        whatToDo: `find out why; if the host was set up anew, run \`${trust} --replace\``,
      });
    case 'unknown':
      return new HostKeyError({
        ...facts,
        what: `the host key of ${place}, ${key}, is unknown${others(verdict.knownTypes)}`,
        whatToDo: `compare the fingerprint with the host's own, then run \`${trust}\``,
      });
  }
}

function others(knownTypes: readonly string[]): string {
  return knownTypes.length === 0 ? '' : ` (known for it: ${knownTypes.join(', ')})`;
}
