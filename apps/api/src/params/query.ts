import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { checkParams } from './check.js';
import { nothingReceived } from './received.js';

/** Parameters of an address; the token is welcome in all of them. */
export const querySchema = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject({ ...shape, token: z.string().optional() });

/** Checks the parameters of an address. @throws ParameterError that tells all faults at once */
export const queryOf = <S extends z.ZodObject>(request: FastifyRequest, schema: S): z.output<S> =>
  checkParams(schema, (request.received ?? nothingReceived).values);
