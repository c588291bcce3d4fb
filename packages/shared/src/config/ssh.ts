import { z } from 'zod';
import { flag, integer, nonEmpty } from './primitives.js';

/**
 * How to log in to hosts. Every key is optional, because instance over name over environment are merged key by key;
 * `resolve.ts` checks that the merged result has a way to log in.
 */
export const sshSchema = z.strictObject({
  user: nonEmpty.optional(),
  port: integer(1, 65_535).optional(),
  /** Path of a private key, relative to the config file. */
  private_key: nonEmpty.optional(),
  /** Passphrase of that key; must be written as `${VAR}`. */
  passphrase: z.string().optional(),
  /** Must be written as `${VAR}`. */
  password: z.string().optional(),
  /** Socket of an ssh-agent, e.g. `${SSH_AUTH_SOCK}`. */
  agent: z.string().optional(),
  known_hosts: nonEmpty.optional(),
  sudo: flag.optional(),
});

export type SshSection = z.infer<typeof sshSchema>;
