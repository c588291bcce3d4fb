/** The product itself, as the real processes an operator starts. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './command.js';
import { markOf } from './mark.js';
import { type Child, startChild } from './process.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const API_READY = /listening on (http:\/\/\S+:\d+)/;
const WORKER_READY = /worker (\S+) ready/;

export interface ControllerOptions {
  /** config.yml; the processes belong to the fleet in its folder and end with it. */
  config: string;
  env?: NodeJS.ProcessEnv;
  logFile?: string;
}

export interface Controller {
  readonly pid: number;
  readonly child: Child;
  /** TERM, and KILL when the grace is over: a worker may have a step to finish. */
  stop(graceMs?: number): Promise<void>;
  kill9(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export interface Api extends Controller {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
}

export interface Worker extends Controller {
  readonly id: string;
}

export async function startApi(options: ControllerOptions): Promise<Api> {
  const child = await startMain('api', API_READY, options);
  return { ...controllerOf(child), url: wordOf(child, API_READY) };
}

export async function startWorker(options: ControllerOptions): Promise<Worker> {
  const child = await startMain('worker', WORKER_READY, options);
  return { ...controllerOf(child), id: wordOf(child, WORKER_READY) };
}

/** Makes a token with the CLI, as an operator does; `extra` are further words such as `--role admin`. */
export async function createToken(config: string, name: string, extra: readonly string[] = []): Promise<string> {
  const words = [join(ROOT, 'apps/cli/bin/rex.js'), 'token', 'create', '--name', name, '--json', ...extra];
  const answer: unknown = JSON.parse(await mustRun(process.execPath, words, { env: envFor({ config }) }));
  if (typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string') {
    return answer.token;
  }
  throw new Error('rex token create --json gave no token');
}

/** As scripts/worker-flags.mjs has them. */
const WORKER_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=10'];

function startMain(app: 'api' | 'worker', line: RegExp, options: ControllerOptions): Promise<Child> {
  return startChild({
    name: app,
    command: process.execPath,
    args: [...(app === 'worker' ? WORKER_FLAGS : []), join(ROOT, 'apps', app, 'dist/bundle/main.js')],
    env: envFor(options),
    cwd: dirname(options.config),
    ready: { line },
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
}

function envFor(options: ControllerOptions): NodeJS.ProcessEnv {
  return { ...process.env, ...markOf(dirname(options.config)), REX_CONFIG: options.config, ...options.env };
}

function controllerOf(child: Child): Controller {
  return {
    pid: child.pid,
    child,
    stop: (graceMs = 30_000) => child.stop(graceMs),
    kill9: () => child.kill(),
    freeze: () => child.freeze(),
    thaw: () => child.thaw(),
  };
}

function wordOf(child: Child, line: RegExp): string {
  return line.exec(child.readyLine)?.[1] ?? '';
}
