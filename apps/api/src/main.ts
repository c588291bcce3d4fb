import { loadConfig } from '@rexdeploy/shared/config/load';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { openNoticeQueue } from '@rexdeploy/shared/queue/notices';
import { openQueue } from '@rexdeploy/shared/queue/tickets';
import { checkRedis } from '@rexdeploy/shared/redis/check';
import { openRedis } from '@rexdeploy/shared/redis/connection';
import { useRedis } from '@rexdeploy/shared/redis/embedded';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { startTelemetry } from '@rexdeploy/shared/telemetry/start';
import { Tokens } from '@rexdeploy/shared/tokens';
import { openStore } from '@rexdeploy/store/store';
import { buildApp } from './app.js';
import { Deployments } from './deployments.js';
import { JournalFeed } from './journal/feed.js';
import { listeningUrl } from './listening-url.js';
import { makeLog } from './log.js';
import { onStop } from './on-stop.js';
import { refuseUnfitRedis } from './redis/refuse-unfit.js';
import { TurnReads } from './redis/turn-reads.js';

/** Longest that requests under way may take once the process is to stop. */
const STOP_LIMIT_MS = 5_000;

async function main(): Promise<void> {
  const log = makeLog();
  const config = loadConfig();
  const server = await useRedis(config.redis.url, config.dataDir);
  const onError = (error: Error): void => log.warn({ err: error }, 'Redis connection');
  const redis = openRedis(server.url, 'request', onError);
  const queueRedis = openRedis(server.url, 'request', onError);
  const feedRedis = openRedis(server.url, 'blocking', onError);
  // The API answers, with 503, before Redis is there. One that is there and unfit ends it.
  refuseUnfitRedis(redis, () => checkRedis(redis), fail);

  const keys = new Keys(config.redis.prefix);
  const reads = new TurnReads(redis);
  const telemetry = await startTelemetry('api', config.telemetry.otlp);
  const queue = openQueue(queueRedis, config.redis.prefix, onError, telemetry.queues);
  const notices = openNoticeQueue(queueRedis, config.redis.prefix, onError);
  const store = await openStore(config.dataDir, { maxBytes: config.packages.maxBytes });
  const app = await buildApp(
    {
      config,
      redis,
      reads,
      keys,
      queue,
      notices,
      store,
      tokens: new Tokens(redis, keys),
      deployments: new Deployments(redis, keys, reads),
      feed: new JournalFeed(feedRedis, keys, log),
    },
    log,
  );
  await app.listen({ host: config.api.host, port: config.api.port });
  // BullMQ and ioredis may reject a promise nobody holds while Redis is away; that must not end the process.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  onStop(STOP_LIMIT_MS, log, async () => {
    await app.close();
    await telemetry.stop();
    for (const connection of [redis, queueRedis, feedRedis]) connection.disconnect();
    await server.release();
  });
  // Whoever reads it may ask for the end at once.
  process.stdout.write(`rexdeploy api listening on ${listeningUrl(app.server.address(), config.api.host)}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`${toRexError(error).message}\n`);
  process.exit(1);
}

main().catch(fail);
