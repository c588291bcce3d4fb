/**
 * A small web application to deploy: a master that keeps one worker, so that two processes carry the instance's mark
 * (`--name=…`) on their command lines. It runs from its program directory and reads `version.txt` and, optionally,
 * `behaviour.json` there and `app.json` in its configuration directory, all once, at start.
 *
 * Options: --name=<mark> --listen=<address>:<port> --config=<dir> --pid-file=<file> [--ready-fd=<n>]
 *
 * Behaviours (behaviour.json, overridden by app.json): "fail": "start" exits 1 at start; "fail": "unhealthy" or
 * "unhealthy": true answers 500 on /health; "flap": n does so for every n-th request there; "slow": ms delays listening;
 * "gate": a file delays it until that is gone; "die_after": ms ends it after it listened.
 */
'use strict';

const { readFileSync, rmSync, writeFileSync, writeSync, closeSync, existsSync } = require('node:fs');
const { join } = require('node:path');

const options = Object.fromEntries(
  process.argv.slice(2).map((word) => {
    const [key, ...value] = word.replace(/^--/, '').split('=');
    return [key, value.join('=')];
  }),
);

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

function readSettings() {
  const config = readJson(join(options.config, 'app.json'));
  const behaviour = existsSync('behaviour.json') ? readJson('behaviour.json') : {};
  return { ...behaviour, ...config, version: readFileSync('version.txt', 'utf8').trim() };
}

function fail(reason) {
  console.error(`${new Date().toISOString()} ${options.name}: ${reason}`);
  process.exit(1);
}

function runMaster() {
  const { fork } = require('node:child_process');
  const settings = readSettings();
  if (settings.fail === 'start') fail('told to fail at start');

  const worker = fork(__filename, process.argv.slice(2), {
    env: { ...process.env, SAMPLE_APP_SETTINGS: JSON.stringify(settings) },
  });
  writeFileSync(options['pid-file'], `${process.pid}\n`);
  const forget = () => {
    if (existsSync(options['pid-file']) && readFileSync(options['pid-file'], 'utf8').trim() === String(process.pid)) {
      rmSync(options['pid-file'], { force: true });
    }
  };

  let stopping = false;
  process.on('SIGTERM', () => {
    stopping = true;
    worker.kill('SIGTERM');
  });
  worker.on('exit', (code, signal) => {
    forget();
    if (stopping) process.exit(0);
    fail(`the worker ended (${signal ?? code})`);
  });

  // Whoever started us waits for this word; nothing is held open afterwards.
  if (options['ready-fd'] !== undefined) {
    const fd = Number(options['ready-fd']);
    writeSync(fd, 'ready');
    closeSync(fd);
  }
}

function runWorker() {
  const { createServer } = require('node:http');
  const settings = JSON.parse(process.env.SAMPLE_APP_SETTINGS);
  const startedAt = new Date().toISOString();
  // The directory behind the link as it was at start: a later switch of the link does not change what runs.
  const release = process.cwd();
  const healthy = settings.unhealthy !== true && settings.fail !== 'unhealthy';
  let asked = 0;

  const server = createServer((request, response) => {
    if (request.url === '/health') {
      const { instance, version } = settings;
      asked += 1;
      const well = healthy && (settings.flap === undefined || asked % settings.flap !== 0);
      const status = well ? 'ok' : 'unhealthy';
      response.writeHead(well ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ status, instance, release, version, pid: process.pid, startedAt }));
      return;
    }
    response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(request.url === '/' ? `version ${settings.version} instance ${settings.instance}\n` : 'not found\n');
  });
  server.on('error', (error) => fail(error.message));

  const colon = options.listen.lastIndexOf(':');
  const listen = () => {
    server.listen(Number(options.listen.slice(colon + 1)), options.listen.slice(0, colon), () => {
      if (settings.die_after !== undefined) setTimeout(() => fail('told to die'), settings.die_after);
    });
  };
  const listenBehindGate = () => {
    if (settings.gate === undefined || !existsSync(settings.gate)) listen();
    else setTimeout(listenBehindGate, 10);
  };
  if (settings.slow === undefined) listenBehindGate();
  else setTimeout(listenBehindGate, settings.slow);

  process.on('SIGTERM', () => {
    // Requests under way are answered; a client that never ends must not hold a restart for long.
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 2000);
  });
  // A master that was killed takes its worker with it, otherwise the port would stay taken.
  process.on('disconnect', () => process.exit(1));
}

try {
  if (process.env.SAMPLE_APP_SETTINGS === undefined) runMaster();
  else runWorker();
} catch (error) {
  fail(error.message);
}
