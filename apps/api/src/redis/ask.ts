import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import { ReplyError } from 'ioredis';
import { z } from 'zod';

/** Answers of a Redis that is there and cannot serve: loading, full, read-only, failing over. */
const CANNOT_SERVE = new Set([
  'LOADING',
  'BUSY',
  'OOM',
  'MISCONF',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOAUTH',
  'WRONGPASS',
  'NOREPLICAS',
]);

/**
 * Asks Redis on behalf of a request. The connection fails fast, so this never takes much longer than its command limit.
 * @param whatToDo advice for the caller
 * @throws UnavailableError when Redis is away, frozen, or there without being able to serve
 */
export async function askRedis<T>(question: () => Promise<T>, whatToDo = 'try again in a few seconds'): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (isOurFault(error)) throw error;
    throw new UnavailableError({ what: 'Redis does not answer', whatToDo, cause: error });
  }
}

/** ioredis has no class for what happens to a connection, so it is told by what it is not. */
function isOurFault(error: unknown): boolean {
  if (error instanceof ReplyError) return !CANNOT_SERVE.has(String((error as Error).message).split(' ')[0] ?? '');
  return (
    error instanceof RexError ||
    error instanceof z.core.$ZodError ||
    error instanceof TypeError ||
    error instanceof SyntaxError ||
    error instanceof RangeError
  );
}
