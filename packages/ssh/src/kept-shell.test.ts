import { CommandError, ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connect } from './ssh2-transport.js';
import { isRunning } from './testing/processes.js';
import { startSshd, type TestSshd } from './testing/sshd.js';
import type { JumpTransport, RemoteScript } from './transport.js';

/** Scripts of two texts each: the first is shared. */
const TEXTS = {
  first: 'say() { printf "%s\\n" "$*"; }\ntrap : HUP',
  echo: 'say "$#"; for arg do say "<$arg>"; done',
  end: 'say on stderr >&2; say "$1"; exit "$1"',
  set: 'cd /; umask 077; leaked=yes; export leaked; say set; exec 9> /dev/null',
  seen: 'say "${leaked-no}" "$(umask)"; cat',
  pid: 'say "$$"',
  wait: 'say begun; sleep 60',
  quit: 'kill -9 "$$"',
  long: 'i=0; while [ "$i" -lt 20000 ]; do say "line $i"; i=$((i + 1)); done',
  open: 'printf "no end of line"',
} as const;
const texts = Object.values(TEXTS);
const script = (name: keyof typeof TEXTS): RemoteScript => ({
  name: 'test',
  text: `${TEXTS.first}\n${TEXTS[name]}`,
  kept: { texts, parts: [0, texts.indexOf(TEXTS[name])] },
});

let sshd: TestSshd;
let transport: JumpTransport;
beforeAll(async () => {
  sshd = await startSshd();
  transport = await connect(sshd.settings());
}, 30_000);
afterAll(async () => {
  await transport.close();
  await sshd[Symbol.asyncDispose]();
});

const run = async (name: keyof typeof TEXTS, ...args: string[]) => (await transport.run(script(name), args)).stdout;

describe('a script in a shell that is kept open', () => {
  test('gets its arguments as they are', async () => {
    const odd = ['', "it's", '"$(id)"', '`id`', 'two\nlines\n', '\\n', '程序 *', '$rex_nl'];
    expect(await run('echo', ...odd)).toBe(`${odd.length}\n${odd.map((arg) => `<${arg}>\n`).join('')}`);
  });

  test('tells its exit code and both its streams', async () => {
    const answer = await transport.run(script('end'), ['7'], { okCodes: [7] });
    expect(answer).toMatchObject({ code: 7, stdout: '7\n', stderr: 'on stderr\n' });
    await expect(transport.run(script('end'), ['3'])).rejects.toMatchObject({ exitCode: 3, stderrTail: 'on stderr\n' });
  });

  test('leaves nothing behind for the next one, and has no input', async () => {
    const mask = (await run('seen')).split(' ')[1];
    await run('set');
    expect(await run('seen')).toBe(`no ${mask}`);
  });

  test('delivers all of a long answer, and one without a last line end', async () => {
    expect((await run('long')).split('\n')).toHaveLength(20_001);
    expect(await run('open')).toBe('no end of line');
    const lines: string[] = [];
    await transport.run(script('long'), [], { onLine: (line) => lines.push(line) });
    expect(lines.at(-1)).toBe('line 19999');
  });

  test('runs with a hundred others in one session', async () => {
    const pids = new Set<string>();
    const before = sessions();
    for (let i = 0; i < 100; i += 1) pids.add(await run('pid'));
    expect(pids.size).toBe(1);
    expect(sessions()).toBe(before);
  });

  test('has a session of its own while another one runs', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => run('pid')));
    expect(new Set(answers).size).toBeGreaterThan(1);
  });

  test('is ended when nobody wants it any more, and the next one runs', async () => {
    const over = new AbortController();
    const pid = Number(await run('pid'));
    const waiting = transport.run(script('wait'), [], { signal: over.signal, onLine: () => over.abort() });
    await expect(waiting).rejects.toBeInstanceOf(CommandError);
    const late = transport.run(script('wait'), [], { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({
      whatToDo: expect.stringMatching(/look for rex:shell:[0-9a-f]+ in the/),
    });
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 30_000, interval: 10 });
    expect(await run('echo', 'again')).toBe('1\n<again>\n');
  });

  test('is not over without an exit code when its shell is killed', async () => {
    await expect(transport.run(script('quit'), [])).rejects.toBeInstanceOf(ConnectionError);
    expect(await run('echo')).toBe('0\n');
  });

  test('is not run when it is cancelled already', async () => {
    await expect(transport.run(script('echo'), [], { signal: AbortSignal.abort() })).rejects.toThrow(/cancelled/);
    expect(await run('echo')).toBe('0\n');
  });
});

test('where a host allows one session, the shell makes room', async () => {
  await using narrow = await startSshd({ config: ['MaxSessions 1'] });
  await using one = await connect(narrow.settings());
  expect((await one.run(script('echo'), [])).stdout).toBe('0\n');
  expect((await one.run({ name: 'plain', text: 'echo plain' }, [])).stdout).toBe('plain\n');
  expect((await one.run(script('echo'), [])).stdout).toBe('0\n');
});

/** Commands that sshd was asked for so far. */
const sessions = (): number => (sshd.log().match(/Starting session: command/g) ?? []).length;

test('where a log-in starts no shell, the error is that of the log-in', async () => {
  await using closed = await startSshd({ config: ['ForceCommand echo "closed for today" >&2; exit 3'] });
  await using one = await connect(closed.settings());
  const refused = { exitCode: 3, stderrTail: 'closed for today\n' };
  await expect(one.run(script('echo'), [])).rejects.toMatchObject(refused);
  await expect(one.run(script('echo'), [])).rejects.toMatchObject(refused);
});

test('what a log-in says first is no answer', async () => {
  await using chatty = await startSshd({ config: ['ForceCommand echo hello; sh -c "$SSH_ORIGINAL_COMMAND"'] });
  await using one = await connect(chatty.settings());
  expect((await one.run(script('echo'), ['a'])).stdout).toBe('1\n<a>\n');
  expect((await one.run(script('echo'), ['b'])).stdout).toBe('1\n<b>\n');
});
