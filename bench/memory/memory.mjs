/** Memory against the size of the package, and how long a package takes to be taken in. */
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import { mustRun } from '@rexdeploy/sandbox/command';
import { archiveStream } from '../lib/archive.mjs';
import { forgetPeak, peakRssMiB, rssMiB } from '../lib/processes.mjs';
import { APP_PROGRAM } from '../lib/quick-app.mjs';
import { OURS, startStand } from '../lib/stand.mjs';
import { digits, median, medianRatio } from '../lib/stats.mjs';
import { table, verdict } from '../lib/table.mjs';
import { Tree } from '../lib/tree.mjs';
import { wipe } from '../rollout/reset.mjs';

const MIB = 1024 ** 2;
const WORKER_AT_MOST_MIB = 200;
/** Between the largest and the second largest package: what two runs of the same differ in anyway. */
const SAME_MIB = 24;
const INGEST_AT_MOST = 1.5;

export const options = { pairs: 'number', full: 'switch' };

export async function run(given, { quick, say }) {
  const sizesMiB = quick ? [8, 32] : [32, 256, 1024, ...(given.full === true ? [4096] : [])];
  const peaks = await measurePeaks(sizesMiB, say);
  const ingest = await measureIngest(given.pairs ?? (quick ? 1 : 5), quick ? 4 : 32, say);
  return { text: `${peaksText(peaks)}\n\n${ingestText(ingest)}`, peaks, ingest };
}

/** Each size with processes of its own, so that nothing is left over from the one before. */
async function measurePeaks(sizesMiB, say) {
  const peaks = [];
  for (const sizeMiB of sizesMiB) {
    const stand = await startStand({ hosts: 1 });
    try {
      const { api, workers, client, fleet } = stand;
      const [worker] = workers;
      const idle = { api: rssMiB(api.pid), worker: rssMiB(worker.pid) };
      forgetPeak(api.pid);
      const stream = archiveStream({ files: 50, sizeBytes: sizeMiB * MIB, version: `v${sizeMiB}` });
      const packageId = await client.upload(OURS, 'program.tar', stream);
      const apiPeak = peakRssMiB(api.pid);
      forgetPeak(worker.pid);
      const request = { action: 'deploy', k: OURS, package: packageId, full: '2', wait: '1800' };
      const { body } = await client.rex(request);
      if (body.job?.state !== 'succeeded') throw new Error(`the deployment ended as ${body.job?.state}: ${body.msg}`);
      const health = JSON.parse((await fleet.instances[0].get('/health')).body);
      if (health.version !== `v${sizeMiB}`) throw new Error(`${health.version} answers instead of v${sizeMiB}`);
      peaks.push({ sizeMiB, idle, api: apiPeak, worker: peakRssMiB(worker.pid) });
      say(`  ${sizeMiB} MiB: API ${Math.round(apiPeak)} MiB, worker ${Math.round(peaks.at(-1).worker)} MiB`);
      await wipe(stand, OURS);
    } finally {
      await stand.close();
    }
  }
  return peaks;
}

function peaksText(peaks) {
  const head = ['package', 'API idle', 'API peak', 'worker idle', 'worker peak', `at most ${WORKER_AT_MOST_MIB}`];
  const rows = peaks.map(({ sizeMiB, idle, api, worker }) => [
    `${sizeMiB} MiB`,
    ...[idle.api, api, idle.worker, worker].map((each) => String(Math.round(each))),
    verdict(worker, WORKER_AT_MOST_MIB),
  ]);
  const [before, last] = peaks.slice(-2);
  const grown = Math.max(last.worker - before.worker, last.api - before.api);
  const sizes = `${before.sizeMiB} to ${last.sizeMiB} MiB`;
  const same = `From ${sizes} the larger of the two peaks grows by ${digits(Math.max(0, grown))} MiB (at most ${SAME_MIB}: ${verdict(grown, SAME_MIB)})`;
  return `Resident memory in MiB, upload and cold deployment to one host\n\n${table(head, rows)}\n\n${same}`;
}

/** A tar.gz from request to answer, against unpacking it and hashing every file. */
async function measureIngest(pairs, sizeMiB, say) {
  const stand = await startStand({ hosts: 1 });
  try {
    const { fleet, client } = stand;
    const tree = new Tree(join(fleet.dir, 'tree'), { files: 300, sizeBytes: sizeMiB * MIB });
    tree.add('app.pl', APP_PROGRAM, 0o755);
    const runs = { ours: [], tools: [] };
    const unpacked = join(fleet.dir, 'unpacked');
    for (let round = 0; round <= pairs; round += 1) {
      // Of what it has already, the store would write nothing.
      tree.change(1);
      const file = join(fleet.dir, 'program.tar.gz');
      await tarGz(tree.dir, file);
      const measures = {
        ours: () => client.upload(OURS, 'program.tar.gz', createReadStream(file)),
        tools: () => unpackAndHash(unpacked, file),
      };
      for (const who of round % 2 === 0 ? ['ours', 'tools'] : ['tools', 'ours']) {
        const begun = performance.now();
        await measures[who]();
        const seconds = (performance.now() - begun) / 1000;
        await rm(unpacked, { recursive: true, force: true });
        if (round > 0) runs[who].push(seconds);
        say(`  ingest, ${round === 0 ? 'warm-up' : `round ${round}`} ${who}: ${seconds.toFixed(3)} s`);
      }
    }
    const ratio = medianRatio(runs.ours, runs.tools);
    return { sizeMiB, ours: median(runs.ours), tools: median(runs.tools), ratio, runs };
  } finally {
    await stand.close();
  }
}

async function unpackAndHash(dir, file) {
  await mkdir(dir);
  await mustRun('tar', ['-C', dir, '-xzf', file]);
  await mustRun('sh', ['-c', 'find "$1" -type f -print0 | xargs -0 sha256sum', 'sh', dir]);
}

function ingestText({ sizeMiB, ours, tools, ratio }) {
  const head = ['', 'ours', 'tar xzf + sha256sum', 'ratio', 'at most', ''];
  const row = [`${sizeMiB} MB tar.gz, 300 files`, digits(ours), digits(tools), ratio.toFixed(2)];
  return `Taking in an upload, in seconds\n\n${table(head, [[...row, String(INGEST_AT_MOST), verdict(ratio, INGEST_AT_MOST)]])}`;
}
