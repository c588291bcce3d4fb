import type { Line } from './dial.js';

/** As OpenSSH's ServerAliveCountMax: three requests without an answer, each given one interval. */
const MISSES = 3;

/**
 * Calls once when a host has sent nothing for so long that `MISSES` keep-alive requests went unanswered. Any byte
 * counts as life, so a reply that waits behind a large upload on a slow line is no alarm.
 *
 * @param keepaliveMs interval of the keep-alive requests in ms
 * @returns stops the watch
 */
export function watchSilence(socket: Line, keepaliveMs: number, onSilent: () => void): () => void {
  let received = socket.bytesRead;
  let misses = 0;
  const timer = setInterval(() => {
    if (socket.bytesRead !== received) misses = 0;
    else misses += 1;
    received = socket.bytesRead;
    if (misses <= MISSES) return;
    clearInterval(timer);
    onSilent();
  }, keepaliveMs);
  return () => clearInterval(timer);
}
