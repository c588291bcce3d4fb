import type { Algorithms, CipherAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';

/** Fastest first, on this engine with AES instructions (docs: performance); all are in ssh2 and in OpenSSH. */
const CIPHERS: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];

/** Host key algorithms by key type; an RSA key signs in three ways (RFC 8332), the SHA-1 one last. */
const BY_KEY_TYPE = new Map<string, ServerHostKeyAlgorithm[]>([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']],
]);

/** Families of key types that are asked for one after the other when a host's keys are collected. */
export const KEY_FAMILIES: readonly (readonly string[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa'],
];

/**
 * What is offered to a host. Key types that are known for it come first, as OpenSSH does: a host known by its RSA key
 * alone would otherwise present its ed25519 key and be refused.
 */
export function offer(knownTypes: readonly string[]): Algorithms {
  const types = new Set([...knownTypes, ...BY_KEY_TYPE.keys()]);
  return { cipher: CIPHERS, serverHostKey: algorithmsFor([...types]) };
}

/** Offers only host keys of these types. */
export function offerOnly(types: readonly string[]): Algorithms {
  return { cipher: CIPHERS, serverHostKey: algorithmsFor(types) };
}

function algorithmsFor(types: readonly string[]): ServerHostKeyAlgorithm[] {
  return types.flatMap((type) => BY_KEY_TYPE.get(type) ?? []);
}
