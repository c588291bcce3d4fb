import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import ssh2, { type Algorithms, type Client, type ClientErrorExtensions } from 'ssh2';
import { connectionClosed, connectionFailure, connectionTimedOut, type Stage } from './connection-failure.js';
import type { Login } from './login.js';
import { reusePackets, watchWrites } from './packets.js';
import type { JumpTransport } from './transport.js';

/** Disconnect reasons that mean "no more attempts to log in" (RFC 4253 §11.1); OpenSSH sends the first. */
const LOGIN_OVER = [2, 14];

export interface DialPlan {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly algorithms: Algorithms;
  /** For everything up to the goal, in ms. */
  readonly timeoutMs: number;
  /** Interval of keep-alive requests in ms, 0 for none. */
  readonly keepaliveMs: number;
  /** Judges the host's key; an error refuses it. */
  readonly judge: (keyBlob: Buffer) => HostKeyError | undefined;
  /** Absent: stop after the handshake, without logging in. */
  readonly login?: Login;
  /** Who makes the TCP connection; absent: this machine. */
  readonly jump?: JumpTransport | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a connection runs over: a socket, or a tunnel through a jump host. */
export type Line = Duplex & { readonly bytesRead: number };

export interface Dialled {
  readonly client: Client;
  readonly socket: Line;
}

/**
 * Opens a connection up to the end of the handshake, which proves the host's key, or up to being logged in.
 *
 * @param take gets the connection the moment it is there: a host may end it in the same packet, so whoever listens for
 *   that must begin at once
 * @throws ConnectionError, HostKeyError, AuthError; the signal's reason when aborted
 */
export async function dial<T>(plan: DialPlan, take: (dialled: Dialled) => T): Promise<T> {
  plan.signal?.throwIfAborted();
  const { jump, host, port, timeoutMs, signal } = plan;
  if (jump === undefined) return shakeHands(plan, connectSocket({ host, port }), timeoutMs, take);
  const startedAt = performance.now();
  const tunnel = await jump.openTunnel({ host, port }, { timeoutMs, signal });
  return shakeHands(plan, tunnel, Math.max(1, timeoutMs - (performance.now() - startedAt)), take);
}

function shakeHands<T>(plan: DialPlan, socket: Line, leftMs: number, take: (dialled: Dialled) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const { login } = plan;
    let stage: Stage = 'connecting';
    let refusal: HostKeyError | undefined;
    let settled = false;
    const client = new ssh2.Client();

    const settle = () => {
      settled = true;
      clearTimeout(timer);
      plan.signal?.removeEventListener('abort', onAbort);
    };
    const succeed = () => {
      settle();
      resolve(take({ client, socket }));
    };
    const fail = (error: unknown) => {
      // Whoever took the connection hears of its end as well.
      if (settled) return;
      settle();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(plan.signal?.reason);
    const timer = setTimeout(() => fail(connectionTimedOut(plan, stage, plan.timeoutMs)), leftMs);
    plan.signal?.addEventListener('abort', onAbort, { once: true });

    client.on('connect', () => {
      stage = 'shaking hands';
      // ssh2 leaves Nagle's algorithm on, which makes each command wait 40 ms for a delayed ACK.
      client.setNoDelay(true);
    });
    const writes = watchWrites(socket);
    client.on('handshake', () => {
      reusePackets(client, writes);
      // Emitted again whenever keys are renewed.
      if (stage !== 'shaking hands') return;
      stage = 'logging in';
      if (login === undefined) succeed();
    });
    client.on('ready', succeed);
    client.on('error', (error: Error & ClientErrorExtensions & { code?: unknown }) => {
      if (refusal !== undefined) return fail(refusal);
      if (login === undefined || stage !== 'logging in') return fail(connectionFailure(plan, stage, error));
      if (error.level === 'client-authentication' && login.exhausted) return fail(login.refused(error));
      login.note(error);
      if (typeof error.code === 'number' && LOGIN_OVER.includes(error.code)) return fail(login.refused(error));
      // The way at hand failed on our side (agent, signature); ssh2 goes on with the next one.
      if (error.level === 'agent' || error.level === 'client-authentication') return;
      return fail(connectionFailure(plan, stage, error));
    });
    client.on('close', () => fail(refusal ?? connectionClosed(plan, stage)));

    try {
      client.connect({
        sock: socket,
        username: plan.user,
        algorithms: plan.algorithms,
        readyTimeout: 0,
        keepaliveInterval: plan.keepaliveMs,
        // Only the requests are ssh2's; silence is judged by any byte received (keep-alive.ts).
        keepaliveCountMax: Number.POSITIVE_INFINITY,
        hostVerifier: (key: Buffer) => {
          refusal = plan.judge(key);
          return refusal === undefined;
        },
        ...(login === undefined ? {} : { authHandler: handlerFor(login) }),
      });
    } catch (error) {
      fail(error);
    }
  });
}

/** ssh2 takes `false` for "none left" and passes null before the first attempt; its types say neither. */
function handlerFor(
  login: Login,
): (left: readonly string[] | null, partial: boolean, next: (method: never) => void) => void {
  return (left, _partial, next) => next(login.next(left) as never);
}
