/** Free ports and waiting for somebody to listen on one. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Below the range from which the kernel hands out ports by itself: a port found here stays ours while the program
 * behind it is restarted.
 */
const FIRST = 20_000;
const COUNT = 12_000;
const POLL_MS = 15;

/** A port nobody listens on at this address right now; two callers may rarely get the same, so be ready to retry. */
export async function findFreePort(address: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await canListen(address, port)) return port;
  }
  throw new Error(`no free port found at ${address}`);
}

function canListen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Where a program listens: a port, or the path of a Unix socket. */
export type Listener = { address: string; port: number } | { socket: string };

/** Resolves once a connection is accepted; rejects when `signal` is aborted before that. */
export async function waitForListener(listener: Listener, signal: AbortSignal): Promise<void> {
  while (!(await accepts(listener))) {
    await pause(POLL_MS, undefined, { signal });
  }
  signal.throwIfAborted();
}

function accepts(listener: Listener): Promise<boolean> {
  return new Promise((resolve) => {
    const place = 'socket' in listener ? { path: listener.socket } : { host: listener.address, port: listener.port };
    const socket: Socket = connect(place);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
