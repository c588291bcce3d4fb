import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { Redis } from 'ioredis';

/**
 * Looks at a server each time it is connected to, as it may be another one by then.
 * @param check throws a RexError when the server must not be used; other errors are those of the connection
 */
export function refuseUnfitRedis(redis: Redis, check: () => Promise<void>, refuse: (error: RexError) => void): void {
  const look = (): void => {
    check().catch((error: unknown) => {
      if (error instanceof RexError) refuse(error);
    });
  };
  if (redis.status === 'ready') look();
  redis.on('ready', look);
}
