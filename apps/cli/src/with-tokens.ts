import type { Config } from '@rexdeploy/shared/config/resolved';
import type { Tokens } from '@rexdeploy/shared/tokens';
import { UnreachableError } from './errors.js';

/** Covers a Redis that is just loading its data; longer, and a person would think that `rex` hangs. */
const READY_TIMEOUT_MS = 3_000;

/**
 * Runs `use` with the tokens in the config's Redis. An embedded Redis that is not running is started, and stopped
 * again afterwards unless somebody else has begun to use it.
 *
 * @throws UnreachableError when Redis does not answer
 */
export async function withTokens<T>(config: Config, use: (tokens: Tokens) => Promise<T>): Promise<T> {
  // Loaded by those alone that need them: all other commands, and Tab, begin the sooner.
  const { openRedis, whenReady } = await import('@rexdeploy/shared/redis/connection');
  const { useRedis } = await import('@rexdeploy/shared/redis/embedded');
  const { Keys } = await import('@rexdeploy/shared/redis/keys');
  const { Tokens } = await import('@rexdeploy/shared/tokens');
  const server = await useRedis(config.redis.url, config.dataDir);
  try {
    let last: Error | undefined;
    const redis = openRedis(server.url, 'request', (error) => {
      last = error;
    });
    try {
      await whenReady(redis, READY_TIMEOUT_MS).catch((error: Error) => {
        throw unreachable(config, last ?? error);
      });
      return await use(new Tokens(redis, new Keys(config.redis.prefix)));
    } finally {
      redis.disconnect();
    }
  } finally {
    await server.release();
  }
}

function unreachable(config: Config, cause: Error): UnreachableError {
  return new UnreachableError({
    what: `Redis cannot be used: ${cause.message}`,
    whatToDo: `check redis.url in ${config.file}`,
    cause,
  });
}
