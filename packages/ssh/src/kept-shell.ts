import { randomBytes } from 'node:crypto';
import type { ClientChannel } from 'ssh2';
import { closes } from './close-channel.js';
import type { CommandEnd } from './command-end.js';
import { killCommand } from './kill-command.js';
import type { Link } from './link.js';
import { openSession } from './open-session.js';
import { commandLine, quote } from './quote.js';
import { makeRunMark, type RunMark } from './run-mark.js';
import type { KeptScript } from './transport.js';
import { UntilMark } from './until-mark.js';

/**
 * Reads one request a line and runs it in a shell of its own, as a fresh `sh -c` would: what a script sets, catches or opens
 * ends with it. Its arguments are the texts that scripts consist of. A line tells that it is there; after each run a mark and
 * the exit code stand on stdout, and the mark on stderr.
 */
const LOOP = {
  name: 'shell',
  text: `
rex_n=0
for rex_text do eval "rex_$rex_n=\\$rex_text"; rex_n=$((rex_n + 1)); done
rex_nl='
'
rex_run() {
  rex_mark=$1; rex_script=$2; shift 2
  ( eval "$rex_script" ) < /dev/null
  rex_code=$?
  printf '\\036%s\\n' "$rex_mark" >&2
  printf '\\036%s %s\\n' "$rex_mark" "$rex_code"
}
printf '\\036ready\\n'
while IFS= read -r rex_line; do eval "$rex_line"; done
`,
};

/** What the loop tells first. */
const READY = Buffer.from('\x1eready\n');
/** Most that a log-in may say before, in bytes: more comes from something else than a shell. */
const GREETING_BYTES = 64 * 1024;

/** Longest that its end is waited for. */
const CLOSE_MS = 1_000;

/** Where the output of a run goes, as it arrives. */
export interface Listener {
  onStdout: (piece: Buffer) => void;
  onStderr: (piece: Buffer) => void;
}

/**
 * A shell kept open on a host, one run at a time: a session of its own costs a host several times what most scripts do, and
 * a line two round trips more.
 */
export class KeptShell {
  readonly #link: Link;
  readonly #channel: ClientChannel;
  readonly #mark: RunMark;
  readonly #onGone: (leaving: Promise<unknown>) => void;
  #ended: ((end: CommandEnd) => void) | undefined;
  #out: UntilMark | undefined;
  #err: UntilMark | undefined;
  #code: number | undefined;
  /** What came before the loop told that it is there; undefined since it has. */
  #greeting: Buffer | undefined = Buffer.alloc(0);
  #isGone = false;

  private constructor(link: Link, channel: ClientChannel, mark: RunMark, onGone: (leaving: Promise<unknown>) => void) {
    this.#link = link;
    this.#channel = channel;
    this.#mark = mark;
    this.#onGone = onGone;
    channel.on('data', (chunk: Buffer) => this.#read(chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#readError(chunk));
    channel.on('error', () => channel.close());
    channel.on('close', () => {
      this.#isGone = true;
      onGone(Promise.resolve());
      this.#end({ code: null, signal: null });
    });
  }

  /**
   * @param onGone called when no more can be run in it, with what is still to end on the host
   * @throws as `openSession`
   */
  static async open(
    link: Link,
    texts: readonly string[],
    onGone: (leaving: Promise<unknown>) => void,
  ): Promise<KeptShell> {
    const mark = makeRunMark(LOOP.name);
    const line = commandLine(LOOP, texts, mark.prefix + mark.id);
    return openSession(link, line, (channel) => new KeptShell(link, channel, mark, onGone));
  }

  /** How it is found in the host's process list. */
  get mark(): string {
    return this.#mark.prefix + this.#mark.id;
  }

  /** Has it ended? */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Has it come to where it runs scripts? Until then it has run none. */
  get hasBegun(): boolean {
    return this.#greeting === undefined;
  }

  /** Runs a script. @returns its end; neither code nor signal when the shell was cut off */
  run(script: KeptScript, args: readonly string[], { onStdout, onStderr }: Listener): Promise<CommandEnd> {
    if (this.#isGone) return Promise.resolve({ code: null, signal: null });
    const mark = randomBytes(6).toString('hex');
    const text = script.parts.map((part) => `$rex_${part}`).join('$rex_nl');
    this.#code = undefined;
    this.#out = new UntilMark(mark, onStdout);
    this.#err = new UntilMark(mark, onStderr);
    return new Promise((resolve) => {
      this.#ended = resolve;
      this.#channel.write(`rex_run ${mark} "${text}" ${args.map(onOneLine).join(' ')}\n`);
    });
  }

  /** Ends it on the host with whatever runs in it, in the background. */
  kill(): void {
    const killing = killCommand(this.#link, this.#channel, this.#mark);
    this.#onGone(killing);
    this.#link.background(killing);
  }

  /** Lets it end, where nothing runs in it, and waits for that. */
  async close(): Promise<void> {
    const closing = closes(this.#channel, CLOSE_MS);
    this.#onGone(closing);
    this.#channel.end();
    await closing;
  }

  #read(chunk: Buffer): void {
    const text = this.#greeting === undefined ? chunk : this.#afterGreeting(this.#greeting, chunk);
    const rest = text.length === 0 ? undefined : this.#out?.push(text);
    if (rest === undefined) return;
    this.#out = undefined;
    this.#code = Number(rest);
    this.#endBoth();
  }

  #afterGreeting(before: Buffer, chunk: Buffer): Buffer {
    const greeting = Buffer.concat([before, chunk]);
    const at = greeting.indexOf(READY);
    this.#greeting = at < 0 ? greeting : undefined;
    if (at < 0 && greeting.length > GREETING_BYTES) this.#channel.close();
    return at < 0 ? Buffer.alloc(0) : greeting.subarray(at + READY.length);
  }

  #readError(chunk: Buffer): void {
    if (this.#err?.push(chunk) === undefined) return;
    this.#err = undefined;
    this.#endBoth();
  }

  /** What a script said on stderr may arrive after its exit code. */
  #endBoth(): void {
    if (this.#err === undefined && this.#code !== undefined) this.#end({ code: this.#code, signal: null });
  }

  #end(end: CommandEnd): void {
    this.#ended?.(end);
    this.#ended = undefined;
  }
}

/** An argument in a line of its own shell: a line's end in it must not end the request. */
const onOneLine = (arg: string): string => arg.split('\n').map(quote).join('"$rex_nl"');
