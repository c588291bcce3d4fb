import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import xterm from '@xterm/headless';

export const REX = fileURLToPath(new URL('../../apps/cli/bin/rex.js', import.meta.url));
const PATIENCE_MS = 30_000;

export interface TerminalOptions {
  cwd: string;
  env: Readonly<Record<string, string>>;
  columns?: number;
  rows?: number;
}

/** A program in a real pseudo-terminal, and what a person sees on it. */
export class PseudoTerminal implements AsyncDisposable {
  readonly #screen: xterm.Terminal;
  readonly #child: ChildProcess;
  readonly #ttyFile: string;
  readonly #closed: Promise<unknown>;
  #raw = '';
  #written: Promise<void> = Promise.resolve();
  #isCursorVisible = true;
  /** What stands there while a frame is drawn: a terminal shows none that is half drawn (private mode 2026). */
  #held: string[] | undefined;
  #changed = (): void => undefined;

  /** @param command program and arguments */
  constructor(command: readonly string[], { cwd, env, columns = 100, rows = 24 }: TerminalOptions) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 1_000, allowProposedApi: true });
    for (const final of ['h', 'l']) {
      this.#screen.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
        if (params.includes(25)) this.#isCursorVisible = final === 'h';
        if (params.includes(2026)) this.#held = final === 'h' ? this.#drawn() : undefined;
        return false;
      });
    }
    this.#ttyFile = join(cwd, 'tty');
    const quoted = command.map((word) => `'${word}'`).join(' ');
    const line = `tty > '${this.#ttyFile}'; stty rows ${rows} cols ${columns}; exec ${quoted}`;
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, NODE_DISABLE_COLORS: ____, ...inherited } = process.env;
    this.#child = spawn(findProgram('script'), ['-qefc', line, '/dev/null'], {
      cwd,
      env: { ...inherited, TERM: 'xterm-256color', SHELL: '/bin/sh', XDG_CONFIG_HOME: join(cwd, '.config'), ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#raw += text;
      // The kernel has made CR LF of every line end already.
      this.#written = new Promise((resolve) => {
        this.#screen.write(text, () => {
          this.#changed();
          resolve();
        });
      });
    });
    this.#closed = once(this.#child, 'close');
  }

  /** Process id of what runs in the terminal. */
  async pid(): Promise<number> {
    const children = await readFile(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  }

  /** All that was written, orders to the terminal included. */
  get raw(): string {
    return this.#raw;
  }

  get isCursorVisible(): boolean {
    return this.#isCursorVisible;
  }

  /** The lines that can be seen, with what was scrolled away above them. */
  lines(): string[] {
    return this.#held ?? this.#drawn();
  }

  #drawn(): string[] {
    const { active } = this.#screen.buffer;
    const all = Array.from({ length: active.length }, (_, at) => active.getLine(at));
    // A long line that was broken by the terminal is one line still.
    const joined: string[] = [];
    for (const line of all) {
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped === true && joined.length > 0) joined.push(`${joined.pop()}${text}`);
      else joined.push(text);
    }
    return joined.slice(0, joined.findLastIndex((line) => line !== '') + 1);
  }

  get text(): string {
    return this.lines().join('\n');
  }

  /** Waits until the screen shows it. @returns the screen then */
  async until(shown: RegExp | ((lines: string[]) => boolean)): Promise<string[]> {
    const isShown = (): boolean => (shown instanceof RegExp ? shown.test(this.text) : shown(this.lines()));
    if (isShown()) return this.lines();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`never shown: ${shown}\n${this.text}`)), PATIENCE_MS);
      const look = (): void => {
        if (!isShown()) return;
        clearTimeout(timer);
        this.#changed = () => undefined;
        resolve();
      };
      this.#changed = look;
    });
    return this.lines();
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** As somebody who pulls at the window: the program is told, and the terminal breaks its lines anew. */
  async resize(columns: number, rows: number): Promise<void> {
    const tty = (await readFile(this.#ttyFile, 'utf8')).trim();
    await runCommand('stty', ['-F', tty, 'rows', String(rows), 'cols', String(columns)]);
    this.#screen.resize(columns, rows);
  }

  /** @returns the exit code, when all that was written is on the screen */
  async ended(): Promise<number | null> {
    await this.#closed;
    await this.#written;
    // Who died while drawing leaves what it drew.
    this.#held = undefined;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      // What runs in it, not `script`: that one ends by itself then, and nothing is left that still writes somewhere.
      const pid = await this.pid().catch(() => 0);
      if (pid > 0) process.kill(pid, 'SIGKILL');
      else this.#child.kill('SIGKILL');
    }
    await this.#closed;
    this.#screen.dispose();
  }
}

/** The real `rex` in a terminal. */
export const rexTerminal = (words: readonly string[], options: TerminalOptions): PseudoTerminal =>
  new PseudoTerminal([process.execPath, REX, ...words], options);
