import { connect } from 'node:net';
import type { HaproxyReach } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { CommandError, ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { scripts } from '../../hosts/remote-scripts.js';
import { sshSettings } from '../../hosts/ssh-settings.js';
import { lookUntil } from '../look-until.js';

/** The socket answers from memory: what takes longer will not come. */
const ANSWER_SECONDS = 10;
/** Exit codes of haproxy-send.sh: nobody answers, or there is no socket; as while HAProxy is started anew. */
const NO_ANSWER = 93;
const NO_SOCKET = 94;
/** How long HAProxy may be away when it is reloaded or restarted. */
const RESTART_MS = 2_000;
/** Of a TCP connection, for the same. */
const AWAY_CODES: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);
/** For the script around it and the connection to the host. */
const MARGIN_MS = 20_000;

/** Sends commands to HAProxy's runtime API and gives its answer back. */
export type Send = (commands: readonly string[], signal: AbortSignal) => Promise<string>;

/** What came of one attempt: an answer, or that HAProxy is away. */
type Reply = { answer: string } | { away: Error };

/**
 * The socket as the configuration reaches it. One that nobody answers at is asked again for a moment: HAProxy takes it anew
 * with every reload. All commands of ours may be given twice.
 * @param patienceMs longest that it is asked again
 */
export function runtimeSocket(
  reach: HaproxyReach,
  connectSsh: (settings: SshSettings) => Promise<Transport>,
  patienceMs: number,
): Send {
  return async (commands, signal) => {
    const line = commands.join('; ');
    const ask = (): Promise<Reply> =>
      'address' in reach ? sendOverTcp(reach.address, line, signal) : sendOverSsh(reach, line, connectSsh, signal);
    const answered = (reply: Reply): boolean => 'answer' in reply;
    const { seen } = await lookUntil(ask, answered, Math.min(patienceMs, RESTART_MS), signal);
    if ('away' in seen) throw seen.away;
    return seen.answer;
  };
}

/** Where it is, for messages. */
export const socketPlace = (reach: HaproxyReach): string =>
  'address' in reach ? reach.address : `${reach.host}:${reach.socket}`;

async function sendOverSsh(
  reach: Exclude<HaproxyReach, { address: string }>,
  line: string,
  connectSsh: (settings: SshSettings) => Promise<Transport>,
  signal: AbortSignal,
): Promise<Reply> {
  const transport = await connectSsh(sshSettings(reach.host, reach.login));
  try {
    const options = { signal, timeoutMs: ANSWER_SECONDS * 1000 + MARGIN_MS };
    const script = line.startsWith('set ') ? scripts.haproxySet : scripts.haproxySend;
    const { stdout } = await transport.run(script, [reach.socket, line, String(ANSWER_SECONDS)], options);
    return told(stdout, reach.host);
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode === null) throw error;
    const what = error.stderrTail.trim() || error.what;
    if (error.exitCode === NO_ANSWER) return { away: new ConnectionError({ host: reach.host, what, cause: error }) };
    const refusal = new BalancerError({ where: reach.host, what, cause: error });
    if (error.exitCode === NO_SOCKET) return { away: refusal };
    throw refusal;
  }
}

async function sendOverTcp(address: string, line: string, signal: AbortSignal): Promise<Reply> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_SECONDS * 1000)]);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), signal: limit });
  try {
    socket.write(`${line}\n`);
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    return told(Buffer.concat(pieces).toString('utf8'), address);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = limit.aborted ? `no answer in ${ANSWER_SECONDS} s` : error instanceof Error ? error.message : error;
    const failure = new ConnectionError({ host: address, what: `HAProxy's stats socket: ${reason}`, cause: error });
    if (error instanceof Error && 'code' in error && AWAY_CODES.has(error.code)) return { away: failure };
    throw failure;
  } finally {
    socket.destroy();
  }
}

/** One that ends while it is asked closes the connection without a word. */
const told = (answer: string, host: string): Reply =>
  answer === '' ? { away: new ConnectionError({ host, what: 'the stats socket gave no answer' }) } : { answer };
