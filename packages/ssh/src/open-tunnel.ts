import type { ClientChannel } from 'ssh2';
import { jumpLost, type Place, tunnelFailure, tunnelTimedOut } from './connection-failure.js';
import type { Link } from './link.js';
import { Tunnel } from './tunnel.js';

export interface TunnelOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Has a jump host connect to another one.
 *
 * @throws ConnectionError when it cannot or may not, or is gone itself; the signal's reason when aborted
 */
export function openTunnel(jump: Link, to: Place, { timeoutMs, signal }: TunnelOptions): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let settled = false;
    const settle = () => {
      settled = true;
      clearTimeout(timer);
      forget();
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown) => {
      if (settled) return;
      settle();
      reject(error);
    };
    const take = (error: Error | undefined, channel: ClientChannel) => {
      if (error !== undefined) return fail(tunnelFailure(jump, to, error));
      // It may still come when nobody waits for it any more.
      if (settled) return channel.close();
      settle();
      resolve(new Tunnel(channel));
    };
    const onAbort = () => fail(signal?.reason);
    const timer = setTimeout(() => fail(tunnelTimedOut(jump, to, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    let forget = () => {};
    forget = jump.onLost((error) => fail(jumpLost(to, jump, error)));
    if (settled) return;
    try {
      jump.client.forwardOut('127.0.0.1', 0, to.host, to.port, take);
    } catch (error) {
      fail(tunnelFailure(jump, to, error instanceof Error ? error : new Error(String(error))));
    }
  });
}
