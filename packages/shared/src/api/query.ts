import { z } from 'zod';

/** Parts of addresses. */

/** Routes that take no parameters refuse them all the same, so that no misspelt one goes unnoticed. */
export const noParams = z.strictObject({});

/** A whole number within bounds, written as text. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `a whole number from ${min} to ${max}`);

/** `Prefer: wait=N` (RFC 7240). */
export const preferHeaderSchema = z.object({
  prefer: z
    .string()
    .optional()
    .meta({ description: '`wait=N`: as the parameter `wait`, but a wish only (RFC 7240).', example: 'wait=30' }),
});
