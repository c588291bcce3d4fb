import { ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { FastifyRequest } from 'fastify';
import { quote } from './received.js';

/** @throws ParameterError when the header is there and is no key */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new ParameterError({ what: `Idempotency-Key ${quote(String(key))}: expected 1 to 255 printable characters` });
}
