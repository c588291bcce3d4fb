/** Starts a program, waits until it is ready, and stops it by its process id together with its process group. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Listener, waitForListener } from './ports.js';
import { isAlive, signalProcess } from './proc.js';
import { onProcessExit } from './release-stack.js';

const TAIL_LINES = 40;
/** Long enough for a machine that is busy with many of these; what fails ends by itself, long before. */
const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;

export interface ChildOptions {
  /** How messages call it, e.g. `redis-server`. */
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** A line of its output, or where it must accept connections; without either it counts as ready at once. */
  ready?: { line: RegExp } | Listener | readonly Listener[];
  readyTimeoutMs?: number;
  /** Keeps its whole output in this file as well. */
  logFile?: string;
  /** More text for the message when it ends before it is ready, e.g. the end of a log file of its own. */
  explain?: () => string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** The line that said it is ready; empty when it was not waited for by a line. */
  readonly readyLine: string;
  readonly exited: Promise<Exit>;
  /** It ended, and all that it wrote was read. */
  readonly closed: Promise<Exit>;
  isRunning(): boolean;
  /** The last lines of its output. */
  tail(): string;
  /** TERM, then KILL after the grace; resolves when it is gone and all that it wrote is in its log file. */
  stop(graceMs?: number): Promise<void>;
  /** KILL at once, its process group included. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Starts it in a process group of its own and resolves when it is ready. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  const failedToStart = new Promise<never>((_, reject) => child.once('error', reject));
  failedToStart.catch(() => undefined);

  const output = new OutputTail(child, options.logFile);
  const forget = onProcessExit(() => signalProcess(-(child.pid ?? 0), 'SIGKILL'));
  void exited.then(forget);

  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), options.readyTimeoutMs ?? READY_TIMEOUT_MS);
  try {
    const endedEarly = exited.then((exit) => {
      throw new Error(`ended before it was ready (${exit.signal ?? `exit code ${exit.code}`})`);
    });
    const readyLine = await Promise.race([waitUntilReady(options, output, giveUp.signal), endedEarly, failedToStart]);
    return new RunningChild(child, child.pid ?? 0, exited, output, readyLine);
  } catch (error) {
    if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
    await exited;
    const reason = giveUp.signal.aborted ? 'was not ready in time' : error instanceof Error ? error.message : error;
    throw new Error(`${options.name} ${reason}\n${output.text()}\n${options.explain?.() ?? ''}`.trimEnd());
  } finally {
    clearTimeout(timer);
    giveUp.abort();
  }
}

async function waitUntilReady(options: ChildOptions, output: OutputTail, signal: AbortSignal): Promise<string> {
  if (options.ready === undefined) return '';
  if ('line' in options.ready) return output.waitFor(options.ready.line, signal);
  for (const listener of [options.ready].flat()) await waitForListener(listener, signal);
  return '';
}

class RunningChild implements Child {
  constructor(
    readonly child: ChildProcess,
    readonly pid: number,
    readonly exited: Promise<Exit>,
    readonly output: OutputTail,
    readonly readyLine: string,
  ) {}

  get closed(): Promise<Exit> {
    return this.output.ended.then(() => this.exited);
  }

  isRunning(): boolean {
    return isAlive(this.pid);
  }

  tail(): string {
    return this.output.text();
  }

  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    signalProcess(this.pid, 'SIGTERM');
    this.thaw();
    const timer = setTimeout(() => signalProcess(-this.pid, 'SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
    // What it started in its own group must not outlive it.
    signalProcess(-this.pid, 'SIGKILL');
    await this.output.kept;
  }

  async kill(): Promise<void> {
    signalProcess(-this.pid, 'SIGKILL');
    await this.exited;
    await this.output.kept;
  }

  freeze(): void {
    signalProcess(-this.pid, 'SIGSTOP');
  }

  thaw(): void {
    signalProcess(-this.pid, 'SIGCONT');
  }
}

/** Reads both outputs to their end, so that the program never blocks on a full pipe, and keeps the last lines. */
class OutputTail {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<(line: string) => void>();
  /** Nobody writes to it any more, and all of it was read. */
  readonly ended: Promise<void>;
  /** All of it is in the log file, where there is one. */
  readonly kept: Promise<void>;

  constructor(child: ChildProcess, logFile: string | undefined) {
    const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
    this.kept = log === undefined ? Promise.resolve() : new Promise((resolve) => log.once('close', resolve));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        if (this.#lines.length > TAIL_LINES) this.#lines.shift();
        log?.write(`${line}\n`);
        for (const look of this.#waiting) look(line);
      });
    }
    child.once('close', () => log?.end());
  }

  text(): string {
    return this.#lines.join('\n');
  }

  waitFor(pattern: RegExp, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (line: string): void => {
        if (!pattern.test(line)) return;
        this.#waiting.delete(look);
        resolve(line);
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(look);
        reject(signal.reason);
      });
    });
  }
}
