/**
 * Hosts without a network. One deployment is done for real, by a shell on this machine, and every answer is kept; then any
 * number of hosts give the same answers at once, so that what is measured is the engine and Redis. Nothing here knows what
 * the scripts do.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';

/** Does what it is told, here, and notes each answer of one host as a line of `file`. */
export function recordingConnect(file, notedHost) {
  return connectWith(async (script, args, input, { host }) => {
    const child = spawn('sh', ['-c', script.text, `rex:${script.name}`, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    // A script may end before it has read all.
    pipeline(input, child.stdin).catch(() => undefined);
    const ended = new Promise((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
    const answer = {
      name: script.name,
      args,
      code,
      stdout: stdout.toString('latin1'),
      stderr: stderr.toString('latin1'),
    };
    if (host === notedHost) appendFileSync(file, `${JSON.stringify(answer)}\n`);
    return answer;
  });
}

/** Gives the noted answers, with this deployment's own arguments in the place of those of then. */
export function replayingConnect(file) {
  const recorded = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const answer = JSON.parse(line);
    recorded.set(answer.name, [...(recorded.get(answer.name) ?? []), answer]);
  }
  return connectWith(async (script, args, input, memory) => {
    for await (const _ of input);
    const answers = recorded.get(script.name);
    if (answers === undefined) throw new Error(`${script.name} was not run when answers were noted`);
    const asked = memory.asked.get(script.name) ?? 0;
    memory.asked.set(script.name, asked + 1);
    const answer = answers[asked % answers.length];
    answer.args.forEach((then, at) => {
      if (args[at] !== undefined && args[at] !== then && then.length > 5) memory.known.set(then, args[at]);
    });
    let { stdout } = answer;
    // The longest first: a release's path begins with that of its program.
    for (const [then, now] of [...memory.known].sort(([one], [other]) => other.length - one.length)) {
      stdout = stdout.replaceAll(then, now);
    }
    return { ...answer, stdout };
  });
}

/** @param answer script, arguments, input and host → code, stdout, stderr */
function connectWith(answer) {
  return async ({ host, port }) => {
    const memory = { host, asked: new Map(), known: new Map() };
    let alive = true;
    const transport = {
      host,
      port,
      get alive() {
        return alive;
      },
      run: async (script, args, options = {}) => {
        const begun = performance.now();
        const ended = await answer(script, args, streamOf(options.input), memory);
        return resultOf(host, script, ended, options, performance.now() - begun);
      },
      openTunnel: async () => {
        throw new Error('simulated hosts lead nowhere');
      },
      onLost: () => () => undefined,
      close: async () => {
        alive = false;
      },
      [Symbol.asyncDispose]: () => transport.close(),
    };
    return transport;
  };
}

function streamOf(input) {
  if (input === undefined) return Readable.from([]);
  return typeof input === 'string' || Buffer.isBuffer(input) ? Readable.from([Buffer.from(input)]) : input;
}

async function resultOf(host, script, { code, stdout, stderr }, { okCodes = [0], onLine, output }, durationMs) {
  const bytes = Buffer.from(stdout, 'latin1');
  const text = bytes.toString('utf8');
  if (onLine !== undefined) for (const line of text.split('\n').slice(0, -1)) onLine(line);
  if (output !== undefined) await pipeline(Readable.from([bytes]), output);
  if (!okCodes.includes(code)) {
    const what = `${script.name} ended with exit code ${code}`;
    throw new CommandError({ host, what, exitCode: code, stdoutTail: text, stderrTail: stderr });
  }
  return { code, stdout: output === undefined ? text : '', stderr, durationMs };
}
