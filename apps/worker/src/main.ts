import { hostname } from 'node:os';
import { loadConfig } from '@rexdeploy/shared/config/load';
import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { checkRedis } from '@rexdeploy/shared/redis/check';
import { openRedis, whenReady } from '@rexdeploy/shared/redis/connection';
import { useRedis } from '@rexdeploy/shared/redis/embedded';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { startTelemetry } from '@rexdeploy/shared/telemetry/start';
import { nativeCrypto } from '@rexdeploy/ssh/native-crypto';
import { openStore } from '@rexdeploy/store/store';
import { pino } from 'pino';
import { controllerId } from './hosts/controller-id.js';
import { startWorker } from './worker.js';

/** Redis may still be starting when the worker does. */
const REDIS_START_MS = 60_000;

async function main(): Promise<void> {
  const log = pino({ name: 'worker' }, pino.destination(2));
  const config = loadConfig();
  const server = await useRedis(config.redis.url, config.dataDir);
  const redis = openRedis(server.url, 'blocking', (error) => log.warn({ err: error }, 'Redis connection'));
  await whenReady(redis, REDIS_START_MS);
  await checkRedis(redis);
  const store = await openStore(config.dataDir, { maxBytes: config.packages.maxBytes });
  const id = `${hostname()}-${process.pid}`;
  if (!nativeCrypto) log.info('the native part of ssh2 is not built: transfers use more processor time');
  const keys = new Keys(config.redis.prefix);
  const controller = await controllerId(config.dataDir);
  const telemetry = await startTelemetry('worker', config.telemetry.otlp);
  const worker = await startWorker({ config, redis, keys, store, id, controller }, server.url, log, telemetry);

  let closing = false;
  const stop = (signal: string): void => {
    if (closing) return;
    closing = true;
    log.info({ signal }, 'stopping at the next safe point');
    worker
      .close()
      .then(() => telemetry.stop())
      .then(() => redis.quit())
      .then(() => server.release())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.stdout.write(`worker ${id} ready\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${toRexError(error).message}\n`);
  process.exit(1);
});
