import { createHash } from 'node:crypto';

/** A host's public key. */
export interface HostKey {
  /** Key type as known_hosts writes it, e.g. `ssh-ed25519`. */
  readonly type: string;
  /** The key in SSH wire format (RFC 4253 §6.6), what known_hosts holds as base64. */
  readonly blob: Buffer;
}

/** `SHA256:` and the digest in base64 without padding, as `ssh-keygen -lf` prints it. */
export function fingerprint(keyBlob: Buffer): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/** The type a key blob names as its first string (RFC 4253 §6.6); undefined when it is no key blob. */
export function keyType(keyBlob: Buffer): string | undefined {
  if (keyBlob.length < 4) return undefined;
  const length = keyBlob.readUInt32BE(0);
  // No known type name is longer than 64 characters, and something must follow it.
  if (length === 0 || length > 64 || keyBlob.length <= 4 + length) return undefined;
  return keyBlob.toString('latin1', 4, 4 + length);
}
