import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from '../units.js';

/** Scalars that the sections share. Numbers also come as text, since `${VAR}` always yields text. */

const fromText = (value: unknown): unknown =>
  typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;

/** Whole number within bounds, also as decimal text. */
export const integer = (min: number, max: number) =>
  z.preprocess(
    fromText,
    z
      .int({ error: `a whole number from ${min} to ${max}` })
      .min(min)
      .max(max),
  );

/** `true`/`false`, also as text. */
export const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: 'true or false' }),
);

/** `250ms`, `5s`, `10m`, `90d` → milliseconds. */
export const durationMs = z.string({ error: 'a duration such as 500ms, 5s or 10m' }).transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === undefined) {
    context.addIssue({ code: 'custom', message: 'a duration such as 500ms, 5s or 10m' });
    return z.NEVER;
  }
  return ms;
});

/** `4GiB`, `100MB`, or a plain number of bytes → bytes. */
export const sizeBytes = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  z.string({ error: 'a size such as 4GiB' }).transform((text, context) => {
    const bytes = parseSizeBytes(text);
    if (bytes === undefined) {
      context.addIssue({ code: 'custom', message: 'a size such as 4GiB' });
      return z.NEVER;
    }
    return bytes;
  }),
);

/** Names, instance keys and environments: they become file names, Redis keys and shell arguments. */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
export const identifier = z
  .string()
  .regex(IDENTIFIER, 'letters, digits, "_", "." or "-", at most 64 characters, beginning with a letter or digit');

/** Absolute directory on a host: normalised, never the root, nothing a shell or a list could misread. */
export const remotePath = z.string().refine(
  (path) =>
    /^\/[^\0\n\r]+$/.test(path) &&
    !path.endsWith('/') &&
    !path
      .split('/')
      .slice(1)
      .some((part) => part === '' || part === '.' || part === '..'),
  'an absolute path without ".", "..", "//" or a trailing "/"',
);

export const nonEmpty = z.string({ error: 'a text' }).min(1, 'a text that is not empty');

/**
 * A section that environment, name and instance may each give in part; merged key by key from the outside in,
 * and checked as a whole by `resolve.ts`.
 */
export const inherited = z.record(z.string(), z.unknown()).optional();
