/** One journal, many listeners: how long after an event was written the last of them has it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile } from '../lib/stats.mjs';

const CLIENTS = fileURLToPath(new URL('stream-clients.mjs', import.meta.url));
const PAUSE_MS = 200;
/** The last event has come to everybody long before. */
const LAST_MS = 2_000;

export async function measureFanOut({ api, token }, journal, { clients, events }) {
  const url = `${api.url}/jobs/${journal.id}/events`;
  const child = spawn(process.execPath, [CLIENTS, url, token, String(clients)], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if ((await lines.next()).done === true) throw new Error('the clients of the stream ended');
    for (let at = 0; at < events; at += 1) {
      await journal.append({ type: 'log', level: 'info', message: `event ${at}` });
      await pause(PAUSE_MS);
    }
    await pause(LAST_MS);
    child.stdin.end();
    const latencies = JSON.parse((await lines.next()).value);
    if (latencies.length !== clients * events) {
      throw new Error(`${latencies.length} events came to ${clients} clients instead of ${clients * events}`);
    }
    return { clients, events, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
  } finally {
    child.kill();
  }
}
