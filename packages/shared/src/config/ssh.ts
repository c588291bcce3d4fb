import { z } from 'zod';
import { flag, integer, nonEmpty } from './primitives.js';

/** A host on the way to others; what it does not say of user, known_hosts and log-in is that of the section around it. */
const jumpSchema = z.strictObject({
  host: nonEmpty,
  user: nonEmpty.optional(),
  /** Its own, never that of the hosts behind it. */
  port: integer(1, 65_535).default(22),
  private_key: nonEmpty.optional(),
  passphrase: z.string().optional(),
  password: z.string().optional(),
  agent: z.string().optional(),
  known_hosts: nonEmpty.optional(),
});
export type JumpSection = z.infer<typeof jumpSchema>;

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
  /** Everything is run as root, through `sudo -n`. */
  sudo: flag.optional(),
  /** The host to go through, or several, outermost first; an empty list = directly. */
  jump: z.union([jumpSchema, z.array(jumpSchema)]).optional(),
});

export type SshSection = z.infer<typeof sshSchema>;
