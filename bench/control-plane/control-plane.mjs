/** API and queue: how quickly deployments are accepted, polled, streamed and begun. */
import { digits, median, medianRatio } from '../lib/stats.mjs';
import { table, verdict } from '../lib/table.mjs';
import { acceptAll, acceptAtRate, addAll } from './accept.mjs';
import { startApiAlone } from './api-alone.mjs';
import { measureFanOut } from './fan-out.mjs';
import { measureFirstCommand } from './first-command.mjs';
import { beginDeployment, fillJournal } from './journal.mjs';
import { measurePolls } from './poll.mjs';

const RATE = 200;
const ACCEPT_AT_MOST_MS = 25;
const POLLS_AT_LEAST = 0.6;
const EVENT_AT_MOST_MS = 250;
const FIRST_AT_MOST_MS = 50;

export const options = { pairs: 'number', clients: 'number' };

export async function run(given, { quick, say }) {
  const pairs = given.pairs ?? (quick ? 1 : 5);
  const clients = given.clients ?? (quick ? 50 : 1000);
  const [steady, all] = quick ? [100, 100] : [2000, 3000];
  const names = Array.from({ length: steady + all + 100 }, (_, at) => `n${at + 1}`);
  const parts = await startApiAlone(names.length);
  try {
    const warm = names.splice(0, 100);
    await acceptAll(parts.client, warm);
    say(`accepting ${RATE} a second`);
    const rate = await acceptAtRate(parts.client, names.splice(0, steady), RATE);
    const accepted = await acceptAll(parts.client, names);
    const added = await addAll(parts, all);
    say('polling');
    const journal = await beginDeployment(parts);
    await fillJournal(journal);
    const polls = await measurePolls(parts, journal.id, { pairs, seconds: quick ? 1 : 4, say });
    say(`${clients} clients of one stream`);
    const fanOut = await measureFanOut(parts, journal, { clients, events: quick ? 5 : 25 });
    const first = await measureFirstCommand(quick ? 2 : 20, say);
    const figures = { rate, accepted, added, polls, fanOut, first };
    return { text: textOf(figures), figures };
  } finally {
    await parts.close();
  }
}

function textOf({ rate, accepted, added, polls, fanOut, first }) {
  const share = medianRatio(polls.ours, polls.bare);
  const ms = (value) => `${digits(value)} ms`;
  const perSecond = (value) => `${Math.round(value)}/s`;
  const rows = [
    [
      `POST /rex → 202 at ${rate.perSecond}/s, p99`,
      ms(rate.p99Ms),
      '',
      `p50 ${ms(rate.p50Ms)}`,
      `≤ ${ACCEPT_AT_MOST_MS} ms`,
      verdict(rate.p99Ms, ACCEPT_AT_MOST_MS),
    ],
    [
      'POST /rex → 202, 16 at a time',
      perSecond(accepted),
      (accepted / added).toFixed(2),
      `bare BullMQ add ${perSecond(added)}`,
      '',
      '',
    ],
    [
      'GET /jobs/:id, 32 connections',
      perSecond(median(polls.ours)),
      share.toFixed(2),
      `bare fastify route ${perSecond(median(polls.bare))}`,
      `≥ ${POLLS_AT_LEAST}`,
      verdict(POLLS_AT_LEAST, share),
    ],
    [
      `event to ${fanOut.clients} SSE clients, p99`,
      ms(fanOut.p99Ms),
      '',
      `p50 ${ms(fanOut.p50Ms)}`,
      `≤ ${EVENT_AT_MOST_MS} ms`,
      verdict(fanOut.p99Ms, EVENT_AT_MOST_MS),
    ],
    [
      '202 → first command on a host, median',
      ms(first.p50Ms),
      '',
      `connection after ${ms(first.connectionMs)}`,
      `≤ ${FIRST_AT_MOST_MS} ms`,
      verdict(first.p50Ms, FIRST_AT_MOST_MS),
    ],
  ];
  return table(['', 'ours', 'ratio', 'beside', 'target', ''], rows);
}
