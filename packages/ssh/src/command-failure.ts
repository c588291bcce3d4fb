import { CommandError, ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { address } from './address.js';
import { scriptMark } from './run-mark.js';
import { Tail } from './tail.js';

const STDERR_BYTES = 64 * 1024;
/** How much of each stream an error carries. */
const ERROR_TAIL_BYTES = 4 * 1024;
/** Longest last line of stderr that is repeated in the message, in characters. */
const LAST_LINE_LENGTH = 200;

/** What is known about one command while it runs, and the wording of all its failures. */
export class CommandReport {
  readonly stdoutTail = new Tail(ERROR_TAIL_BYTES);
  readonly stderr = new Tail(STDERR_BYTES);
  readonly #place: { readonly host: string; readonly port: number };
  readonly #name: string;
  /** How it is found in the host's process list. */
  #mark: string;
  readonly #startedAt = performance.now();

  constructor(place: { readonly host: string; readonly port: number }, name: string) {
    this.#place = place;
    this.#name = name;
    this.#mark = scriptMark(name);
  }

  /** It runs in a shell that has a mark of its own. */
  runsIn(mark: string): void {
    this.#mark = mark;
  }

  /** It was not run; what was said until now is not its own. */
  startsOver(): void {
    this.stdoutTail.clear();
    this.stderr.clear();
    this.#mark = scriptMark(this.#name);
  }

  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  exited(exitCode: number): CommandError {
    return this.#failure({ exitCode }, `exited with code ${exitCode} after ${this.durationMs} ms${this.#lastLine()}`);
  }

  signalled(signal: string): CommandError {
    return this.#failure({ signal }, `was ended by ${signal} after ${this.durationMs} ms${this.#lastLine()}`);
  }

  timedOut(timeoutMs: number): CommandError {
    return this.#failure({ timedOut: true }, `did not end within ${timeoutMs} ms${this.#lastLine()}`);
  }

  idle(idleTimeoutMs: number): CommandError {
    return this.#failure({ timedOut: true }, `moved no byte for ${idleTimeoutMs} ms${this.#lastLine()}`);
  }

  cancelled(reason: unknown): CommandError {
    return this.#failure({ cause: reason }, `was cancelled after ${this.durationMs} ms`);
  }

  /** Our side of one of its streams failed. */
  broken(stream: 'input' | 'output', cause: unknown): CommandError {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return this.#failure({ cause }, `was ended after ${this.durationMs} ms because its ${stream} failed: ${detail}`);
  }

  /** The channel ended with neither an exit code nor a signal: nobody knows what the command did. */
  unknownEnd(): ConnectionError {
    return this.#connection('ended without an exit code, the connection or the session on the host was cut');
  }

  /** No channel could be had. */
  notStarted(cause: unknown): ConnectionError {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return this.#connection(`could not be started: ${detail}`, cause);
  }

  #connection(what: string, cause?: unknown): ConnectionError {
    return new ConnectionError({
      host: this.#place.host,
      where: address(this.#place.host, this.#place.port),
      what: `${this.#name} ${what}`,
      whatToDo: "check the host and sshd's log (MaxSessions limits commands at the same time)",
      cause,
    });
  }

  #failure(
    facts: { exitCode?: number; signal?: string; timedOut?: boolean; cause?: unknown },
    what: string,
  ): CommandError {
    return new CommandError({
      host: this.#place.host,
      where: address(this.#place.host, this.#place.port),
      what: `${this.#name} ${what}`,
      ...(facts.timedOut === true
        ? {
            whatToDo: `it was told to end; should it be stuck, look for ${this.#mark} in the host's process list`,
          }
        : {}),
      stdoutTail: this.stdoutTail.text(),
      stderrTail: this.stderr.text(ERROR_TAIL_BYTES),
      ...facts,
    });
  }

  #lastLine(): string {
    const line = this.stderr.text(ERROR_TAIL_BYTES).trimEnd().split('\n').at(-1)?.trim() ?? '';
    return line === '' ? '' : `: ${line.slice(0, LAST_LINE_LENGTH)}`;
  }
}
