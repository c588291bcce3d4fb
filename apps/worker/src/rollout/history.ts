import { deploymentsOf } from '@rexdeploy/shared/deployments/history';
import { clearMarks, findMark } from '@rexdeploy/shared/deployments/marks';
import { noteMark, noteRollback } from '@rexdeploy/shared/deployments/notes';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { Redis } from 'ioredis';

/** What came before this deployment of a name, as far as Redis knows. */
export interface History {
  /** Newest first. */
  deployments(): AsyncGenerator<DeploymentState>;
  /** Label of the release that is marked to go back to. */
  findMark(instance: string): Promise<string | undefined>;
  /** Tells the deployment whose record was gone by; once, however often it is called. */
  noteRollback(instance: string, target: string, by: string): Promise<void>;
  /** A mark is used up by the rollback that went by it. @param maker deployment that made the marked release */
  useMark(instance: string, maker: string | undefined, by: string): Promise<void>;
}

export function openHistory(redis: Redis, keys: Keys, name: string): History {
  return {
    deployments: () => deploymentsOf(redis, keys, name),
    findMark: (instance) => findMark(redis, keys, instance),
    noteRollback: (instance, target, by) => noteRollback(redis, keys, target, { instance, by }),
    async useMark(instance, maker, by) {
      await clearMarks(redis, keys, [instance]);
      if (maker !== undefined) await noteMark(redis, keys, maker, { instance, marked: false, by });
    },
  };
}
