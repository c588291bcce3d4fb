import { z } from 'zod';

/** What answers are made of: every leaf is a string, every list an object with keys "0", "1", …, absent is `{}`. */

/** Not known, or not there. */
export const absent = z.strictObject({});

export const textOrAbsent = z.union([z.string(), absent]);

/** A documented list. */
export const listOf = <T extends z.core.SomeType>(item: T) => z.record(z.string().regex(/^\d+$/), item);

/** Any value whose leaves are strings. */
export type Leaves = string | { [key: string]: Leaves };
export const leavesSchema: z.ZodType<Leaves> = z
  .lazy(() => z.union([z.string(), z.record(z.string(), leavesSchema)]))
  .meta({ id: 'Leaves', description: 'Texts, and objects of such, as deep as it needs.' });
