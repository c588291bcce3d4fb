import { Redis, type RedisOptions } from 'ioredis';

/** Longest that a command of a request may take before the API answers 503 (contract: within 3 s). */
const COMMAND_TIMEOUT_MS = 2_000;

/** Every connection carries the process in its name, so that an embedded server knows who still uses it. */
export const connectionName = (): string => `rex-${process.pid}`;

/**
 * Options per use. `request`: fails fast, never waits for Redis. `blocking`: waits for ever, as workers and stream
 * readers must (BullMQ demands `maxRetriesPerRequest: null`).
 */
export function redisOptions(use: 'request' | 'blocking') {
  const common = {
    connectionName: connectionName(),
    connectTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
  } satisfies RedisOptions;
  if (use === 'blocking') return { ...common, maxRetriesPerRequest: null };
  return {
    ...common,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    autoResendUnfulfilledCommands: false,
  };
}

/**
 * Opens a connection that reconnects by itself.
 * @param onError told of every connection error; ioredis would print them otherwise
 */
export function openRedis(url: string, use: 'request' | 'blocking', onError: (error: Error) => void): Redis {
  const redis = new Redis(url, redisOptions(use));
  redis.on('error', onError);
  return redis;
}

/** Waits until the connection is usable. @throws Error when it is not within `timeoutMs` */
export async function whenReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => done(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
    const onReady = (): void => done();
    const done = (error?: Error): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      if (error) reject(error);
      else resolve();
    };
    redis.on('ready', onReady);
  });
}
