/** `node worker.mjs record|replay <file> <host>`: the worker as it is, with simulated hosts in the place of SSH. */
import { loadConfig } from '@rexdeploy/shared/config/load';
import { openRedis, whenReady } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { openStore } from '@rexdeploy/store/store';
import { startWorker } from '@rexdeploy/worker/worker';
import { pino } from 'pino';
import { recordingConnect, replayingConnect } from './simulated-hosts.mjs';

const [mode, file, host] = process.argv.slice(2);
const log = pino({ name: 'worker', level: 'warn' }, pino.destination(2));
const config = loadConfig();
const redis = openRedis(config.redis.url, 'blocking', (error) => log.warn({ err: error }, 'Redis connection'));
await whenReady(redis, 60_000);
const store = await openStore(config.dataDir, { maxBytes: config.packages.maxBytes });
const parts = {
  config,
  redis,
  keys: new Keys(config.redis.prefix),
  store,
  id: `simulated-${process.pid}`,
  controller: 'bench',
  connect: mode === 'record' ? recordingConnect(file, host) : replayingConnect(file),
};
const worker = await startWorker(parts, config.redis.url, log, { queues: {} });
process.on('SIGTERM', () => {
  worker
    .close()
    .then(() => redis.quit())
    .then(() => process.exit(0));
});
process.stdout.write('worker ready\n');
