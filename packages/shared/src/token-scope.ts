import { z } from 'zod';
import { IDENTIFIER } from './config/primitives.js';

/** What a token may do. Apart from the tokens themselves, so that it can be used where there is no Redis: in a browser. */

export const roleSchema = z.enum(['viewer', 'deployer', 'admin']);
export type Role = z.infer<typeof roleSchema>;

/** Does the role allow deployments, roll-backs, uploads and cancelling? */
export const mayDeploy = (role: Role): boolean => role !== 'viewer';

/** Does one of the token's patterns allow this name? `*` stands for any text. */
export function allowsName(record: { names: string }, name: string): boolean {
  return record.names.split(',').some((pattern) => {
    if (pattern === '*') return true;
    const literal = pattern
      .trim()
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${literal.join('.*')}$`).test(name);
  });
}

/** What a token is called. */
export const tokenNameSchema = z.string().regex(IDENTIFIER, 'letters, digits, "_", "." and "-", at most 64');

const PATTERN = /^[A-Za-z0-9_.*-]{1,64}$/;

/** Patterns of names as they are typed, `server, shop*`, to how they are kept. */
export const namePatternsSchema = z
  .string()
  .transform((text) => text.split(',').map((pattern) => pattern.trim()))
  .refine((patterns) => patterns.every((pattern) => PATTERN.test(pattern)), {
    error: 'names separated by commas; * stands for any text',
  })
  .transform((patterns) => patterns.join(','));
