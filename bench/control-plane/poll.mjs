/** How many polls a second, against a bare route that gives the same answer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '@rexdeploy/sandbox/process';
import autocannon from 'autocannon';

const BARE = fileURLToPath(new URL('bare-route.mjs', import.meta.url));
const CONNECTIONS = 32;

/** @returns polls a second, pair by pair */
export async function measurePolls({ dir, api, client, token }, id, { pairs, seconds, say }) {
  const { body } = await client.get(`/jobs/${id}`);
  const file = join(dir, 'answer.json');
  writeFileSync(file, JSON.stringify(body));
  const ready = { line: /listening on (\S+)/ };
  const bare = await startChild({ name: 'bare route', command: process.execPath, args: [BARE, file], ready });
  try {
    const bases = { ours: api.url, bare: ready.line.exec(bare.readyLine)[1] };
    const runs = { ours: [], bare: [] };
    for (let round = 0; round <= pairs; round += 1) {
      for (const who of round % 2 === 0 ? ['ours', 'bare'] : ['bare', 'ours']) {
        const rate = await cannon(`${bases[who]}/jobs/${id}`, token, round === 0 ? 1 : seconds);
        if (round > 0) runs[who].push(rate);
        say(`  polls, ${round === 0 ? 'warm-up' : `round ${round}`} ${who}: ${Math.round(rate)}/s`);
      }
    }
    return runs;
  } finally {
    await bare.stop();
  }
}

async function cannon(url, token, duration) {
  const headers = { authorization: `Bearer ${token}` };
  const result = await autocannon({ url, connections: CONNECTIONS, duration, headers });
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} polls of ${url} failed`);
  return result.requests.total / result.duration;
}
