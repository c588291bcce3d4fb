import { idempotencyKeySchema } from '@rexdeploy/shared/api/routes/rex';
import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyRequest } from 'fastify';
import { quote } from './received.js';

/** @throws ParameterError when the header is there and is no key */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  const checked = idempotencyKeySchema.safeParse(key);
  if (checked.success) return checked.data;
  throw new ParameterError({
    what: `Idempotency-Key ${quote(String(key))}: expected ${checked.error.issues[0]?.message}`,
  });
}
