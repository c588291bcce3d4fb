import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { CommandError, ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connect } from './ssh2-transport.js';
import { isRunning } from './testing/processes.js';
import { startSshd, type TestSshd } from './testing/sshd.js';
import type { RemoteScript, RunOptions, Transport } from './transport.js';

const MIB = 1024 * 1024;

let sshd: TestSshd;
let transport: Transport;
beforeAll(async () => {
  sshd = await startSshd();
  transport = await connect(sshd.settings());
}, 30_000);
afterAll(async () => {
  await transport.close();
  await sshd[Symbol.asyncDispose]();
});

const script = (text: string): RemoteScript => ({ name: 'test', text });

async function failure(text: string, options: RunOptions = {}): Promise<unknown> {
  const outcome: unknown = await transport.run(script(text), [], options).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(Error);
  return outcome;
}

async function commandError(text: string, options: RunOptions = {}): Promise<CommandError> {
  const error = await failure(text, options);
  if (!(error instanceof CommandError)) throw error;
  expect(error.retryable).toBe(false);
  return error;
}

/** Waits until a process is gone. */
function ended(pid: number): Promise<void> {
  return vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 30_000, interval: 10 });
}

/** Starts a command that prints a pid first, and hands over pid and promise. */
async function started(text: string, options: RunOptions): Promise<{ pid: number; outcome: Promise<unknown> }> {
  const lines: string[] = [];
  let seen: () => void = () => {};
  const first = new Promise<void>((resolve) => (seen = resolve));
  const outcome = transport
    .run(script(text), [], {
      ...options,
      onLine: (line) => {
        lines.push(line);
        seen();
      },
    })
    .catch((error: unknown) => error);
  await first;
  return { pid: Number(lines[0]), outcome };
}

test('arguments arrive as they are, stdout and stderr come back apart', async () => {
  const args = ["it's", '$HOME', '', 'a\nb', '漢'];
  const result = await transport.run(script('printf "%s|" "$0" "$@"; echo oops >&2'), args);
  expect(result).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^rex:test:[0-9a-f]{12}\|/),
    stderr: 'oops\n',
  });
  expect(result.stdout.split('|').slice(1, -1)).toEqual(args);
  expect(result.durationMs).toBeGreaterThanOrEqual(0);
});

test('stdin is closed when there is no input', async () => {
  expect((await transport.run(script('cat; echo done'), [])).stdout).toBe('done\n');
});

test.each<[string, RunOptions['input']]>([
  ['a string', 'häns'],
  ['a buffer', Buffer.from('häns')],
  ['a stream', Readable.from([Buffer.from('h'), Buffer.from('äns')])],
  ['nothing', ''],
])('%s reaches stdin', async (name, input) => {
  const { stdout } = await transport.run(script('cat'), [], { input: input ?? '' });
  expect(stdout).toBe(name === 'nothing' ? '' : 'häns');
});

test('an exit code is a failure with both tails, unless it is an answer', async () => {
  const error = await commandError('echo out; echo first >&2; echo "no such thing" >&2; exit 3');
  expect(error).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stdoutTail: 'out\n' });
  expect(error.stderrTail).toBe('first\nno such thing\n');
  expect(error.message).toMatch(/test exited with code 3 after \d+ ms: no such thing$/);
  const answer = await transport.run(script('exit 3'), [], { okCodes: [0, 3] });
  expect(answer.code).toBe(3);
  expect((await commandError('exit 0', { okCodes: [1] })).exitCode).toBe(0);
});

test('an error carries the last 4 KiB of each stream', async () => {
  const error = await commandError('seq 1 5000; seq 5001 10000 >&2; exit 1');
  expect(error.stdoutTail).toHaveLength(4096);
  expect(error.stdoutTail).toMatch(/\n5000\n$/);
  expect(error.stderrTail).toHaveLength(4096);
  expect(error.stderrTail).toMatch(/\n10000\n$/);
});

test('an end by signal is a failure', async () => {
  const error = await commandError('kill -KILL $$; :');
  expect(error).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
});

test('a time-out fails promptly and ends the command on the host', async () => {
  const { pid, outcome } = await started('echo $$; sleep 1000; :', { timeoutMs: 300 });
  expect(await outcome).toMatchObject({ timedOut: true, exitCode: null, signal: null });
  await ended(pid);
});

test('a command that ignores TERM is killed', async () => {
  const { pid, outcome } = await started('trap "" TERM; echo $$; while :; do sleep 0.1; done', { timeoutMs: 300 });
  expect(await outcome).toBeInstanceOf(CommandError);
  await ended(pid);
});

test('an abort fails with its reason as cause and ends the command on the host', async () => {
  const abort = new AbortController();
  const { pid, outcome } = await started('echo $$; sleep 1000; :', { signal: abort.signal });
  const reason = new Error('enough');
  abort.abort(reason);
  const error = await outcome;
  expect(error).toBeInstanceOf(CommandError);
  expect(error).toMatchObject({ cause: reason, timedOut: false });
  await ended(pid);
});

test('closing the connection ends what still runs on the host', async () => {
  const closing = await connect(sshd.settings());
  let pid = 0;
  const running = closing.run(script('echo $$; sleep 1000; :'), [], {
    onLine: (line) => {
      pid = Number(line);
      closing.close();
    },
  });
  await expect(running).rejects.toBeInstanceOf(ConnectionError);
  await closing.close();
  expect(closing.alive).toBe(false);
  await ended(pid);
});

test('another run of the same script is not ended with the one that is', async () => {
  const abort = new AbortController();
  const stays = await started('echo $$; sleep 1000; :', {});
  const goes = await started('echo $$; sleep 1000; :', { signal: abort.signal });
  abort.abort();
  await goes.outcome;
  await ended(goes.pid);
  expect(await isRunning(stays.pid)).toBe(true);
  // The whole group, or its `sleep` would stay behind.
  process.kill(-stays.pid);
  expect(await stays.outcome).toMatchObject({ signal: 'SIGTERM' });
});

test('an aborted command is not started', async () => {
  const input = Readable.from(['x']);
  const path = join(sshd.dir, 'never');
  const error = await commandError(`touch ${path}`, { signal: AbortSignal.abort(), input });
  expect(error.message).toContain('cancelled');
  expect(input.destroyed).toBe(true);
  await expect(readFile(path)).rejects.toThrow(/ENOENT/);
});

test('silence in both directions runs into the idle time-out, output does not', async () => {
  const error = await commandError('echo begin; sleep 1000', { idleTimeoutMs: 200 });
  expect(error).toMatchObject({ timedOut: true, stdoutTail: 'begin\n' });
  const text = 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done';
  expect((await transport.run(script(text), [], { idleTimeoutMs: 500 })).code).toBe(0);
});

test('lines arrive one by one while the command runs', async () => {
  const lines: string[] = [];
  const input = new PassThrough();
  const result = await transport.run(script('echo one; read x; echo "got $x"; printf rest'), [], {
    input,
    onLine: (line) => {
      lines.push(line);
      // Only because the first line came before the end can the command end.
      if (line === 'one') input.end('two\n');
    },
  });
  expect(lines).toEqual(['one', 'got two', 'rest']);
  expect(result.stdout).toBe('one\ngot two\nrest');
});

test('an error thrown by the line reader ends the command', async () => {
  const thrown = new Error('not this line');
  const onLine = () => {
    throw thrown;
  };
  const error = await commandError('echo one; sleep 1000', { onLine });
  expect(error.cause).toBe(thrown);
});

test('more output than allowed is an error', async () => {
  const error = await commandError('yes', { maxOutputBytes: 100_000 });
  expect(error.message).toContain('stdout is longer than 100000 bytes');
});

test('stdout goes to a writable, whole and in order', async () => {
  const path = join(sshd.dir, 'out');
  const size = 8 * MIB;
  const result = await transport.run(script('head -c "$1" /dev/zero | tr "\\0" x'), [String(size)], {
    output: createWriteStream(path),
  });
  expect(result.stdout).toBe('');
  const bytes = await readFile(path);
  expect(bytes.length).toBe(size);
  expect(bytes.every((byte) => byte === 0x78)).toBe(true);
});

test('a slow reader slows the command down, and gets everything although it takes longer than the grace', async () => {
  let bytes = 0;
  let largest = 0;
  const output = new Writable({
    highWaterMark: 16 * 1024,
    write(chunk: Buffer, _encoding, done) {
      // Longer than the silence after which an ended command is asked for more.
      const waitMs = bytes === 0 ? 1_300 : 0;
      bytes += chunk.length;
      largest = Math.max(largest, this.writableLength);
      setTimeout(done, waitMs);
    },
  });
  await transport.run(script('head -c 1048576 /dev/zero'), [], { output });
  expect(bytes).toBe(MIB);
  expect(largest).toBeLessThan(256 * 1024);
});

test('an output that fails ends the command', async () => {
  const broken = new Error('disk full');
  const output = new Writable({ write: (_chunk, _encoding, done) => done(broken) });
  const error = await commandError('yes', { output });
  expect(error.cause).toBe(broken);
  expect(error.message).toContain('output failed: disk full');
});

test('an input that fails ends the command', async () => {
  const broken = new Error('unreadable');
  const input = new Readable({
    read() {
      this.push('some');
      this.destroy(broken);
    },
  });
  const error = await commandError('cat', { input });
  expect(error.cause).toBe(broken);
});

test('a command that ends before its input does is not waited for', async () => {
  const input = new Readable({
    read() {
      this.push(Buffer.alloc(65_536));
    },
  });
  const { stdout } = await transport.run(script('head -c 3 | wc -c'), [], { input });
  expect(stdout.trim()).toBe('3');
  expect(input.destroyed).toBe(true);
});

test('64 MiB of input flow through bounded memory and arrive unharmed', async () => {
  const pieceBytes = 256 * 1024;
  const hash = createHash('sha256');
  let made = 0;
  const input = new Readable({
    highWaterMark: pieceBytes,
    read() {
      if (made === 64 * MIB) {
        this.push(null);
        return;
      }
      const piece = Buffer.alloc(pieceBytes, made / pieceBytes);
      made += pieceBytes;
      hash.update(piece);
      this.push(piece);
    },
  });
  // The command reads nothing until a line comes through the gate, so whatever is sent before must lie somewhere.
  const gate = join(sshd.dir, 'gate');
  await transport.run(script('mkfifo "$1"'), [gate]);
  const before = process.memoryUsage().rss;
  const running = transport.run(script('read line < "$1"; sha256sum'), [gate], { input });
  const stalled = await standstill(() => made);
  expect(stalled).toBeLessThan(16 * MIB);
  await transport.run(script('echo go > "$1"'), [gate]);
  const { stdout } = await running;
  expect(stdout.split(' ')[0]).toBe(hash.digest('hex'));
  expect(process.memoryUsage().rss - before).toBeLessThan(48 * MIB);
});

/** Waits until a number no longer changes over ten round trips to the host. */
async function standstill(look: () => number): Promise<number> {
  for (let last = -1, same = 0; same < 10; same = look() === last ? same + 1 : 0) {
    last = look();
    await transport.run(script(':'), []);
  }
  return look();
}

test('100 commands one after the other, and many at once', async () => {
  for (let i = 0; i < 100; i += 1) {
    expect((await transport.run(script('echo "$1"'), [String(i)])).stdout).toBe(`${i}\n`);
  }
  // More than sshd allows at a time on one connection (MaxSessions, 10): they wait for each other.
  const many = Array.from({ length: 30 }, (_, i) => transport.run(script('echo "$1"'), [String(i)]));
  expect((await Promise.all(many)).map((each) => each.stdout)).toEqual(many.map((_, i) => `${i}\n`));
});

test('one abort ends as many commands as there are, and the connection can be used on', async () => {
  const abort = new AbortController();
  const pids: number[] = [];
  const many = Array.from({ length: 15 }, () =>
    transport.run(script('echo $$; sleep 1000; :'), [], {
      signal: abort.signal,
      onLine: (line) => {
        if (pids.push(Number(line)) === 8) abort.abort();
      },
    }),
  );
  for (const each of await Promise.allSettled(many)) expect(each).toMatchObject({ reason: { name: 'CommandError' } });
  expect(pids).toHaveLength(8);
  expect((await transport.run(script('echo ok'), [])).stdout).toBe('ok\n');
  await Promise.all(pids.map(ended));
});

test('a session more than the host allows is a ConnectionError that names the limit', async () => {
  await using narrow = await startSshd({ config: ['MaxSessions 1'] });
  await using other = await connect(narrow.settings());
  const input = new PassThrough();
  const first = other.run(script('cat'), [], { input });
  const second: unknown = await other.run(script('echo'), []).catch((error: unknown) => error);
  input.end('x');
  expect((await first).stdout).toBe('x');
  expect(second).toBeInstanceOf(ConnectionError);
  expect(String(second)).toContain('MaxSessions');
});

test('a daemon that keeps stdout open does not hold up its starter, and lives on', async () => {
  const result = await transport.run(script('sleep 1000 & echo $!'), []);
  expect(result.durationMs).toBeLessThan(60_000);
  const pid = Number(result.stdout);
  expect(await isRunning(pid)).toBe(true);
  process.kill(pid);
  const failed = await commandError('sleep 1000 & echo $!; exit 4');
  expect(failed.exitCode).toBe(4);
  process.kill(Number(failed.stdoutTail));
});

test('a NUL in an argument is refused before anything runs', async () => {
  await expect(transport.run(script(':'), ['a\0'])).rejects.toThrow(/NUL/);
});
