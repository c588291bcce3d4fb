import type { Redis } from 'ioredis';
import { RexError } from '../errors/rex-error.js';

/** BullMQ's and our own minimum. */
const MIN_VERSION = [6, 2] as const;

/** Refuses a Redis that could lose or evict deployments. @throws RexError naming what to set */
export async function checkRedis(redis: Redis): Promise<void> {
  const info = await redis.info();
  const field = (name: string): string => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
  const [major = 0, minor = 0] = field('redis_version').split('.').map(Number);
  if (major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1])) {
    throw new RexError({
      what: `Redis ${field('redis_version')} is too old`,
      whatToDo: `use Redis ${MIN_VERSION.join('.')} or newer`,
    });
  }
  const policy = field('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction') {
    throw new RexError({
      what: `Redis evicts data when it is full (maxmemory-policy ${policy}), so deployments could vanish`,
      whatToDo: 'set maxmemory-policy noeviction',
    });
  }
}
