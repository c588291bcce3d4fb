/** How quickly deployments are accepted. */
import { setTimeout as pause } from 'node:timers/promises';
import { openQueue, sendTicket } from '@rexdeploy/shared/queue/tickets';
import { quantile } from '../lib/stats.mjs';

const AT_ONCE = 16;

/**
 * `POST /rex` at a steady rate, whatever the answers do: a late one is late from the moment at which it was due.
 * @param {string[]} names a free one for each request
 */
export async function acceptAtRate(client, names, perSecond) {
  const latencies = [];
  const begun = performance.now();
  const requests = names.map(async (k, at) => {
    const due = begun + (at * 1000) / perSecond;
    await pause(Math.max(0, due - performance.now()));
    await accept(client, k);
    latencies.push(performance.now() - due);
  });
  await Promise.all(requests);
  return {
    perSecond,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: Math.max(...latencies),
  };
}

/** As many as can be, so many at a time. @returns a second */
export const acceptAll = (client, names) => drainList(names, (k) => accept(client, k));

/** The same tickets into a queue of BullMQ and nothing else. @returns a second */
export async function addAll({ connection }, count) {
  const queue = openQueue(connection, 'bare', (error) => {
    throw error;
  });
  const ids = Array.from({ length: count }, (_, at) => `ticket${at}-${Date.now()}`);
  const rate = await drainList(ids, (id) => sendTicket(queue, id));
  await queue.obliterate({ force: true });
  await queue.close();
  return rate;
}

async function drainList(list, work) {
  const left = [...list];
  const begun = performance.now();
  const one = async () => {
    for (let each = left.pop(); each !== undefined; each = left.pop()) await work(each);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return list.length / ((performance.now() - begun) / 1000);
}

async function accept(client, k) {
  const { status, body } = await client.rex({ action: 'deploy', k, senv: 'uat' });
  if (status !== 202) throw new Error(`${k} was answered with ${status} ${body.msg}`);
}
