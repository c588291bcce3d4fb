import { createHmac } from 'node:crypto';
import { keyType } from './host-key.js';

/** One usable line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHostsLine {
  /** Index of the line in the file, from 0. */
  readonly index: number;
  readonly marker: 'revoked' | undefined;
  /** First field as it stands: patterns with commas, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  readonly blob: Buffer;
}

/** All lines that bind a key to a host. Comments, broken lines and `@cert-authority` (certificates) are left out. */
export function parseKnownHosts(text: string): KnownHostsLine[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, index) ?? []);
}

function parseLine(line: string, index: number): KnownHostsLine | undefined {
  const fields = line.trim().split(/[ \t]+/);
  if (fields[0]?.startsWith('#')) return undefined;
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  if (marker !== undefined && marker !== '@revoked') return undefined;
  const [hosts, type, base64] = fields;
  if (hosts === undefined || type === undefined || base64 === undefined) return undefined;
  const blob = Buffer.from(base64, 'base64');
  if (keyType(blob) !== type) return undefined;
  return { index, marker: marker === undefined ? undefined : 'revoked', hosts, type, blob };
}

/** Whether a first field covers a name in known_hosts form (`web1`, `[web1]:2222`). */
export function coversHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return hashedEquals(hosts, name);
  let covered = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    // A negated pattern that matches rules the line out, whatever else matches.
    if (pattern.startsWith('!')) {
      if (matches(pattern.slice(1), name)) return false;
    } else if (matches(pattern, name)) covered = true;
  }
  return covered;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name with the salt as its key, both in base64 (hostfile.c of OpenSSH). */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

function hashedEquals(hashed: string, name: string): boolean {
  const [, version, salt] = hashed.split('|');
  return version === '1' && salt !== undefined && hashName(name, Buffer.from(salt, 'base64')) === hashed;
}

function matches(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}
