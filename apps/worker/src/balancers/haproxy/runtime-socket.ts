import { connect } from 'node:net';
import type { HaproxyReach } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { CommandError, ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { scripts } from '../../hosts/remote-scripts.js';
import { sshSettings } from '../../hosts/ssh-settings.js';

/** The socket answers from memory: what takes longer will not come. */
const ANSWER_SECONDS = 10;
/** Exit code of haproxy-send.sh: nobody answers, as while HAProxy is started anew. */
const NO_ANSWER = 93;
/** For the script around it and the connection to the host. */
const MARGIN_MS = 20_000;

/** Sends commands to HAProxy's runtime API and gives its answer back. */
export type Send = (commands: readonly string[], signal: AbortSignal) => Promise<string>;

/** The socket as the configuration reaches it. */
export function runtimeSocket(reach: HaproxyReach, connectSsh: (settings: SshSettings) => Promise<Transport>): Send {
  return (commands, signal) =>
    'address' in reach
      ? sendOverTcp(reach.address, commands.join('; '), signal)
      : sendOverSsh(reach, commands.join('; '), connectSsh, signal);
}

/** Where it is, for messages. */
export const socketPlace = (reach: HaproxyReach): string =>
  'address' in reach ? reach.address : `${reach.host}:${reach.socket}`;

async function sendOverSsh(
  reach: Exclude<HaproxyReach, { address: string }>,
  line: string,
  connectSsh: (settings: SshSettings) => Promise<Transport>,
  signal: AbortSignal,
): Promise<string> {
  const transport = await connectSsh(sshSettings(reach.host, reach.login));
  try {
    const options = { signal, timeoutMs: ANSWER_SECONDS * 1000 + MARGIN_MS };
    const script = line.startsWith('set ') ? scripts.haproxySet : scripts.haproxySend;
    return (await transport.run(script, [reach.socket, line, String(ANSWER_SECONDS)], options)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode === null) throw error;
    const what = error.stderrTail.trim() || error.what;
    if (error.exitCode === NO_ANSWER) throw new ConnectionError({ host: reach.host, what, cause: error });
    throw new BalancerError({ where: reach.host, what, cause: error });
  }
}

async function sendOverTcp(address: string, line: string, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_SECONDS * 1000)]);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), signal: limit });
  try {
    socket.write(`${line}\n`);
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString('utf8');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = limit.aborted ? `no answer in ${ANSWER_SECONDS} s` : error instanceof Error ? error.message : error;
    throw new ConnectionError({ host: address, what: `HAProxy's stats socket: ${reason}`, cause: error });
  } finally {
    socket.destroy();
  }
}
