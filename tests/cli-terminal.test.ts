import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { afterEach, describe, expect, test } from 'vitest';
import { LiveJournal, PIECE, TOTAL } from './support/live-journal.js';
import { rexInFolder } from './support/rex.js';
import { test as standTest } from './support/stand.js';
import { type Script, type StubApi, startStubApi } from './support/stub-api.js';
import { PseudoTerminal, REX, rexTerminal, type TerminalOptions } from './support/terminal.js';

const JOB = 'dep-01KJQ4YB3V5N8W2T9R6C1D0XGZ';
const BATCHES = [['server1'], ['server2', 'server3']];
const cli = rexInFolder();
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function stub(script: Script): Promise<StubApi> {
  const api = await startStubApi(script);
  open.push(api);
  return api;
}

function terminal(api: StubApi, words: string[], options: Partial<TerminalOptions> = {}): PseudoTerminal {
  const env = { REX_SERVER: api.url, REX_TOKEN: api.token, ...options.env };
  const started = rexTerminal(words, { cwd: cli.dir, ...options, env });
  open.push(started);
  return started;
}

/** A row of the board: batch where one begins, instance, bar, time, text. */
const ROW = /^(?:(\d+\/\d+)|\s{3,}) ?(server\d+) +([█░]+) +(\d+:\d\d)? *(.*)$/;
interface Row {
  batch: string | undefined;
  filled: number;
  width: number;
  text: string;
}

function board(lines: string[]): Map<string, Row> {
  const rows = lines.flatMap((line) => {
    const [, batch, key, drawn, , text] = ROW.exec(line) ?? [];
    if (key === undefined || drawn === undefined) return [];
    const filled = drawn.replaceAll('░', '').length;
    return [[key, { batch, filled, width: drawn.length, text: text ?? '' }] as const];
  });
  // Each instance has one line: nothing of an earlier frame is left over.
  expect(new Set(rows.map(([key]) => key)).size).toBe(rows.length);
  return new Map(rows);
}

describe('rex deploy on a terminal', () => {
  test('shows a bar per instance, bytes and rate, batches, and ends with the result', async () => {
    const journal = new LiveJournal(JOB, BATCHES).stage('server2', 16).stage('server1', 8);
    const staging = journal.length;
    // What is left of the transfer, and on to the second batch.
    journal.stage('server1', 16).startBatch(0).roll('server1').finishBatch(0);
    journal.startBatch(1).startStep('server2', 'drain');
    const draining = journal.length;
    journal.roll('server2').stage('server3', 16).roll('server3').finishBatch(1).succeed();
    const api = await stub({ events: journal.events, given: staging });
    const screen = terminal(api, ['deploy', '--k', 'server', '--senv', 'uat'], { columns: 110 });

    const first = await screen.until(/stage 32M of 64M/);
    expect(first[0]).toBe(`${JOB} queued`);
    expect(first[1]).toMatch(new RegExp(`^deploy server {2}running {2}0/3 done {2}0:\\d\\d {2}${JOB}$`));
    const rows = board(first);
    expect(rows.get('server1')).toMatchObject({
      batch: '1/2',
      text: expect.stringMatching(/^stage 32M of 64M, 8\.0M\/s$/),
    });
    expect(PIECE * 16).toBe(TOTAL);
    expect(rows.get('server2')).toMatchObject({ batch: '2/2', text: 'staged, waits for its turn' });
    expect(rows.get('server3')).toMatchObject({ batch: undefined, filled: 0, text: 'waiting' });
    expect(rows.get('server2')?.filled).toBeGreaterThan(rows.get('server1')?.filled ?? Infinity);
    expect(screen.isCursorVisible).toBe(false);

    api.give(draining);
    const second = board(await screen.until(/server2 .* drain$/m));
    expect(second.get('server1')).toMatchObject({ text: 'done' });
    expect(second.get('server1')?.filled).toBe(second.get('server1')?.width);

    api.give();
    expect(await screen.ended()).toBe(0);
    const last = screen.lines();
    expect([...board(last).values()].map(({ text }) => text)).toEqual(['done', 'done', 'done']);
    expect(last.at(-1)).toMatch(new RegExp(`^${JOB} succeeded: `));
    expect(last.filter((line) => line.startsWith('deploy server'))).toHaveLength(1);
    // What is done is green.
    expect(screen.raw).toContain('\u001b[32mdone');
    expect(screen.isCursorVisible).toBe(true);
  });

  test('a failure stands there in full, however narrow the screen, and ends with 1', async () => {
    const reason =
      'no answer with status 200 after 30 attempts; the last one was 502 from http://192.168.0.248:6080/health';
    const journal = new LiveJournal(JOB, BATCHES).stage('server1', 16).startBatch(0).roll('server1').finishBatch(0);
    journal.stage('server2', 16).startBatch(1).startStep('server2', 'drain').startStep('server2', 'verify');
    journal.fail('server2', 'verify', reason);
    const screen = terminal(await stub({ events: journal.events }), ['deploy', '--k', 'server'], { columns: 60 });
    expect(await screen.ended()).toBe(1);
    const lines = screen.lines();
    expect(board(lines).get('server2')?.text).toMatch(/^brought back; verify f.*…$/);
    expect(lines.find((line) => line.includes('server2 verify failed: '))).toContain(reason);
    expect(lines.at(-1)).toBe(`${JOB} failed: server2 verify: ${reason}`);
    expect(screen.isCursorVisible).toBe(true);
  });

  test('Ctrl-C ends the watching alone, and tells how to watch or cancel', async () => {
    const journal = new LiveJournal(JOB, BATCHES).stage('server1', 3);
    const api = await stub({ events: journal.succeed().events, given: journal.length - 1 });
    const screen = terminal(api, ['deploy', '--k', 'server']);
    await screen.until(/stage 12M of 64M/);
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
    const lines = screen.lines();
    expect(lines.at(-1)).toContain(`${JOB} goes on. Watch it: rex watch ${JOB}   Cancel it: rex cancel ${JOB}`);
    expect(board(lines).size).toBe(3);
    expect(screen.isCursorVisible).toBe(true);
    expect(api.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /rex', `GET /jobs/${JOB}/events`]);
  });
});

describe('rex watch on a terminal', () => {
  const running = (pieces = 5): LiveJournal => new LiveJournal(JOB, BATCHES).stage('server1', pieces);

  test('a stream that breaks and comes back leaves the view whole', async () => {
    const journal = running();
    const before = journal.length;
    journal.stage('server2', 3);
    const api = await stub({ events: journal.events, given: before, unavailable: 0 });
    const screen = terminal(api, ['watch', JOB]);
    await screen.until(/server1 .* stage 20M of 64M/);
    api.cut();
    await screen.until((lines) => lines.some((line) => line.startsWith('the stream broke off')));
    // It is open again: what came before stands there still, and the line is gone.
    await screen.until((lines) => !lines.some((line) => line.startsWith('the stream broke off')));
    expect(board(screen.lines()).get('server1')?.text).toContain('20M of 64M');
    api.give(journal.length);
    const rows = board(await screen.until(/server2 .* stage 12M of 64M/));
    expect(rows.get('server1')?.text).toContain('20M of 64M');
    expect(
      api.requests.filter(({ url }) => url.endsWith('/events')).map(({ headers }) => headers['last-event-id']),
    ).toEqual([undefined, String(before)]);
  });

  test('a window that is made narrower, lower and wide again holds one board', async () => {
    const journal = running();
    const api = await stub({ events: journal.events, given: journal.length });
    const screen = terminal(api, ['watch', JOB], { columns: 100, rows: 20 });
    const wide = await screen.until(/stage 20M of 64M/);
    expect(wide[0]).toHaveLength(`deploy server  running  0/3 done  0:00  ${JOB}`.length);
    for (const [columns, rows] of [
      [62, 20],
      [40, 20],
      [90, 6],
      [100, 20],
    ] as const) {
      await screen.resize(columns, rows);
      // A frame for the former size may still come, and leave nothing either.
      const lines = await screen.until((shown) => shown.length > 0 && shown.every((line) => line.length < columns));
      expect(lines.filter((line) => line.includes('deploy server'))).toHaveLength(1);
      for (const key of BATCHES.flat()) expect(lines.filter((line) => line.includes(key))).toHaveLength(1);
      expect(lines).toHaveLength(4);
    }
    screen.type('\u0003');
    expect(await screen.ended()).toBe(130);
  });

  test('more instances than lines: what moves is in sight, the rest is counted', async () => {
    const keys = Array.from({ length: 40 }, (_, at) => `server${at + 1}`);
    const journal = new LiveJournal(
      JOB,
      keys.map((key) => [key]),
    );
    for (const [at, key] of keys.slice(0, 20).entries())
      journal.stage(key, 16).startBatch(at).roll(key).finishBatch(at);
    journal.startBatch(20).startStep('server21', 'drain');
    const api = await stub({ events: journal.events, given: journal.length });
    const screen = terminal(api, ['watch', JOB], { rows: 12 });
    const lines = await screen.until(/server21 .* drain/);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toContain('20/40 done');
    expect(lines[1]).toBe('… 20 more above');
    expect(lines.at(-1)).toMatch(/^… \d+ more below$/);
  });

  test('thousands of events are drawn ten times a second, no more', async () => {
    const journal = running(0);
    for (let at = 0; at < 400; at += 1) journal.stage('server1', 10);
    const api = await stub({ events: journal.events, given: 2 });
    const beginMs = performance.now();
    const screen = terminal(api, ['watch', JOB]);
    await screen.until(/server1/);
    for (let given = 2; given < journal.length; given += 100) {
      api.give(given);
      await new Promise((resolve) => setImmediate(resolve));
    }
    api.give(journal.length);
    await screen.until(/stage 40M of 64M/);
    screen.type('\u0003');
    await screen.ended();
    const seconds = (performance.now() - beginMs) / 1000;
    const frames = screen.raw.split('\u001b[?2026h').length - 1;
    // The first one, and the last one, which is drawn whatever the time.
    expect(frames).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 3);
    // Nothing is wiped before something stands in its place.
    expect(screen.raw).not.toContain('\u001b[2J');
  });

  test('ended by a signal it gives the cursor back', async () => {
    const journal = running();
    const api = await stub({ events: journal.events, given: journal.length });
    const screen = terminal(api, ['watch', JOB]);
    await screen.until(/stage 20M of 64M/);
    expect(screen.isCursorVisible).toBe(false);
    process.kill(await screen.pid(), 'SIGTERM');
    expect(await screen.ended()).toBe(128 + 15);
    expect(screen.isCursorVisible).toBe(true);
  });

  test('Ctrl-Z gives the shell its cursor, and fg goes on with the board', async () => {
    const journal = running();
    const before = journal.length;
    journal.stage('server2', 3);
    const api = await stub({ events: journal.events, given: before });
    const env = { REX_SERVER: api.url, REX_TOKEN: api.token, PS1: '$ ', HISTFILE: '/dev/null' };
    const shell = new PseudoTerminal([findProgram('bash'), '--norc', '--noprofile', '-i'], { cwd: cli.dir, env });
    open.push(shell);
    shell.type(`'${process.execPath}' '${REX}' watch ${JOB}\n`);
    await shell.until(/server1 .* stage 20M of 64M/);
    expect(shell.isCursorVisible).toBe(false);
    shell.type('\u001a');
    await shell.until(/Stopped/);
    expect(shell.isCursorVisible).toBe(true);
    shell.type('fg\n');
    api.give(journal.length);
    await shell.until(/server2 .* stage 12M of 64M/);
    shell.type('\u0003');
    await shell.until(/goes on\. Watch it/);
    expect(shell.isCursorVisible).toBe(true);
  });

  test('NO_COLOR has bars without colours, TERM=dumb has lines without any orders', async () => {
    const journal = running().succeed();
    const api = await stub({ events: journal.events });
    const grey = terminal(api, ['watch', JOB], { env: { NO_COLOR: '1' } });
    expect(await grey.ended()).toBe(0);
    expect(grey.text).toContain('█');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    expect(grey.raw).not.toMatch(/\u001b\[[\d;]*m/);
    const dumb = terminal(api, ['watch', JOB], { env: { TERM: 'dumb' } });
    expect(await dumb.ended()).toBe(0);
    expect(dumb.raw).not.toContain('\u001b');
    expect(dumb.text).toContain('server1 stage 20M of 64M');
  });
});

describe('rex upload on a terminal', () => {
  test('shows how far the file is, then what was stored', async () => {
    const api = await stub({ events: new LiveJournal(JOB, BATCHES).events });
    await writeFile(join(cli.dir, 'app.tgz'), Buffer.alloc(3 * 1024 ** 2));
    const screen = terminal(api, ['upload', '--k', 'server', 'app.tgz']);
    expect(await screen.ended()).toBe(0);
    const lines = screen.lines();
    expect(lines[0]).toMatch(/^sending app\.tgz █{30} 0:0\d sent; the API checks and stores it$/);
    expect(lines[1]).toBe('pkg-1: 3 files, 120 bytes');
    expect(screen.isCursorVisible).toBe(true);
  });
});

describe('on real servers', () => {
  standTest('rex deploy shows each instance until it is done', async ({ start }) => {
    const { api, client } = await start();
    const env = { REX_SERVER: api.url, REX_TOKEN: client.token };
    const screen = rexTerminal(['deploy', '--k', 'server', '--senv', 'uat'], { cwd: cli.dir, env });
    open.push(screen);
    await screen.until(/^1\/2 server1 +█+/m);
    expect(await screen.ended()).toBe(0);
    const rows = board(screen.lines());
    expect([...rows.keys()]).toEqual(['server1', 'server2']);
    for (const row of rows.values()) expect(row).toMatchObject({ text: 'done', filled: row.width });
    expect(screen.lines().at(-1)).toMatch(/^dep-\w+ succeeded: server 全部灰度发布完成$/);
    expect(screen.isCursorVisible).toBe(true);
  });
});
