import { z } from 'zod';
import { type Envelope, envelopeSchema } from './envelope-schema.js';

const { data: documented, ...surroundings } = envelopeSchema.shape;
const { code, msg } = documented.shape;

/**
 * The documented answer around data of one kind. Fields that a newer API adds to the data do not make it another answer.
 * @param data what stands in `data.data`
 * @param further what stands beside it in `data`
 */
export const envelopeOf = <D extends z.ZodType, F extends z.core.$ZodLooseShape>(data: D, further: F) =>
  z.object({ ...surroundings, data: z.object({ code, data, msg, ...further }) });

/** Any answer: what clients read that do not know the route. */
export const anyEnvelopeSchema: z.ZodType<Envelope> = envelopeSchema.transform((answer) => answer as Envelope);
