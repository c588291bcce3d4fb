import type { ClientChannel } from 'ssh2';
import { closeChannel } from './close-channel.js';
import { type CommandEnd, commandEnd } from './command-end.js';
import { CommandReport } from './command-failure.js';
import { CommandLife } from './command-life.js';
import { resultOf } from './command-result.js';
import { discardInput, feed } from './feed.js';
import { killCommand } from './kill-command.js';
import type { Link } from './link.js';
import { openSession } from './open-session.js';
import { commandLine } from './quote.js';
import { runKept, takeShell } from './run-kept.js';
import { makeRunMark, type RunMark } from './run-mark.js';
import { discardOutput, type StdoutSink, stdoutSink } from './stdout-sink.js';
import type { RemoteScript, RunOptions, RunResult } from './transport.js';

/** Runs one script over a connection; see `Transport.run`. */
export async function runCommand(
  link: Link,
  script: RemoteScript,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const life = new CommandLife(link, options, new CommandReport(link, script.name));
  try {
    const shell = await takeShell(link, script, life, options);
    const answer = shell && (await runKept(link.shell, shell, args, life, options));
    if (answer !== undefined) return answer;
    const mark = makeRunMark(script.name);
    const line = commandLine(script, args, mark.prefix + mark.id, link.sudo);
    const running = await start(link, line, mark, life);
    return await attend(running, life, options);
  } catch (error) {
    discardInput(options.input);
    discardOutput(options.output);
    throw error;
  } finally {
    life.clear();
  }
}

/** A command that runs. */
interface Running {
  readonly channel: ClientChannel;
  readonly ending: Promise<CommandEnd>;
  /** Lets go of it after its end; what it left in the background was meant to stay. */
  leave(): void;
  /** Ends it on the host, in the background. */
  kill(): void;
}

async function start(link: Link, line: string, mark: RunMark, life: CommandLife): Promise<Running> {
  // Cancelled before it began: nothing may be started on the host.
  life.check();
  const taking = link.sessions.take();
  const release = await life.race(taking).catch((error: unknown) => {
    taking.then((unused) => unused());
    throw error;
  });
  const opening = open(link, line, mark, life, release);
  try {
    return await life.race(opening);
  } catch (error) {
    // It may still open when nobody waits for it any more.
    opening.then((running) => running.kill(), release);
    life.check();
    throw link.lost ?? life.report.notStarted(error);
  }
}

function open(link: Link, line: string, mark: RunMark, life: CommandLife, release: () => void): Promise<Running> {
  return openSession(link, line, (channel) => {
    const ending = commandEnd(
      channel,
      () => life.received,
      () => link.roundTrip(),
    );
    const leave = () => {
      closeChannel(channel);
      release();
    };
    // The host counts the session until the command is gone, and so do we.
    const kill = () => link.background(killCommand(link, channel, mark).finally(release));
    return { channel, ending, leave, kill };
  });
}

async function attend(running: Running, life: CommandLife, options: RunOptions): Promise<RunResult> {
  const { channel } = running;
  const { report } = life;
  channel.on('error', (error: Error) => life.stop(report.broken('input', error)));
  const sink = stdoutSink(
    options,
    () => channel.resume(),
    (error) => life.stop(report.broken('output', error)),
  );
  collect(channel, sink, life);
  const stopFeeding = feed(
    channel,
    options,
    () => life.moved(),
    (error) => life.stop(report.broken('input', error)),
  );
  let end: CommandEnd | undefined;
  try {
    end = await life.race(running.ending);
    return await resultOf(end, sink, life, options);
  } catch (error) {
    sink.abandon();
    throw error;
  } finally {
    stopFeeding();
    if (end === undefined) running.kill();
    else running.leave();
  }
}

/** Takes both streams in. */
function collect(channel: ClientChannel, sink: StdoutSink, life: CommandLife): void {
  channel.on('data', (chunk: Buffer) => {
    life.arrived();
    life.report.stdoutTail.push(chunk);
    try {
      if (!sink.write(chunk)) channel.pause();
    } catch (error) {
      life.stop(life.report.broken('output', error));
    }
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    life.arrived();
    life.report.stderr.push(chunk);
  });
}
