import type { Config } from '@rexdeploy/shared/config/resolved';
import type { NoticeTicket } from '@rexdeploy/shared/queue/notices';
import type { Ticket } from '@rexdeploy/shared/queue/tickets';
import type { Keys } from '@rexdeploy/shared/redis/keys';
import type { Tokens } from '@rexdeploy/shared/tokens';
import type { Store } from '@rexdeploy/store/store';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Deployments } from './deployments.js';
import type { JournalFeed } from './journal/feed.js';
import type { TurnReads } from './redis/turn-reads.js';

/** What the application is made of; tests hand in their own. */
export interface ApiParts {
  readonly config: Config;
  /** Fails fast (`redisOptions('request')`). */
  readonly redis: Redis;
  /** What requests only read, over the same connection. */
  readonly reads: TurnReads;
  readonly keys: Keys;
  readonly tokens: Tokens;
  readonly queue: Queue<Ticket>;
  /** Only looked at; workers send what people are told. */
  readonly notices: Queue<NoticeTicket>;
  readonly store: Store;
  readonly deployments: Deployments;
  readonly feed: JournalFeed;
  /** Folder of the built dashboard; absent: where its own build puts it. */
  readonly dashboardDir?: string;
}
