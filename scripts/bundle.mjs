/**
 * `node scripts/bundle.mjs <app>`: makes one file of an app and what it imports, `apps/<app>/dist/bundle/main.js`. A process
 * that reads a thousand small modules when it starts needs three times as long.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './setup.mjs';

/** What stays where npm put it: native parts, packages that read files beside themselves, what few starts need. */
const EXTERNAL =
  /^(ssh2|pino|prom-client|bullmq-otel|@opentelemetry\/.*|@bull-board\/.*|@fastify\/(static|swagger.*))(\/|$)/;

const [app = ''] = process.argv.slice(2);
const folder = join(ROOT, 'apps', app);
const bundle = await rolldown({ input: join(folder, 'dist/main.js'), platform: 'node', external: EXTERNAL });
await bundle.write({ dir: join(folder, 'dist/bundle'), format: 'esm', cleanDir: true });
await bundle.close();
