/** From the answer 202 to the first command on a host, with an idle worker and a real sshd. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APP_PROGRAM } from '../lib/quick-app.mjs';
import { OURS, startStand } from '../lib/stand.mjs';
import { quantile } from '../lib/stats.mjs';
import { Tree } from '../lib/tree.mjs';
import { uploadTree } from '../rollout/ours.mjs';

const COMMAND = /^Starting session: command/m;
const CONNECTION = /^Connection from/m;

export async function measureFirstCommand(rounds, say) {
  const stand = await startStand({ hosts: 1 });
  try {
    const { fleet, client } = stand;
    const tree = new Tree(join(fleet.dir, 'tree'), { files: 20, sizeBytes: 1024 ** 2 });
    tree.add('app.pl', APP_PROGRAM, 0o755);
    const found = [];
    for (let round = 0; round <= rounds; round += 1) {
      tree.change(0.1);
      const packageId = await uploadTree(stand, OURS, tree.dir);
      // A whole log-in is part of it: connections of the last deployment are ended.
      await Promise.all([...fleet.hosts, fleet.lb].map(({ sshd }) => sshd.dropSessions()));
      const watch = watchLogs([...fleet.hosts, fleet.lb]);
      const { status, body } = await client.rex({ action: 'deploy', k: OURS, package: packageId, full: '2' });
      const accepted = performance.now();
      if (status !== 202) throw new Error(`the deployment was answered with ${status} ${body.msg}`);
      const { connection, command } = await watch;
      const ended = await client.get(`/jobs/${body.job.id}?wait=120`);
      if (ended.body.job.state !== 'succeeded') throw new Error(`the deployment ended as ${ended.body.job.state}`);
      if (round === 0) continue;
      found.push({ connectionMs: connection - accepted, commandMs: command - accepted });
      say(`  first command, round ${round}: ${(command - accepted).toFixed(1)} ms after the 202`);
    }
    const of = (field, share) =>
      quantile(
        found.map((each) => each[field]),
        share,
      );
    return {
      rounds,
      connectionMs: of('connectionMs', 0.5),
      p50Ms: of('commandMs', 0.5),
      p99Ms: of('commandMs', 0.99),
    };
  } finally {
    await stand.close();
  }
}

/** When the first connection and the first command stand in one of the logs; sshd writes no times itself. */
function watchLogs(hosts) {
  const before = hosts.map(({ sshd }) => readFileSync(sshd.logFile).length);
  return new Promise((resolve, reject) => {
    let connection;
    const deadline = performance.now() + 60_000;
    const look = () => {
      const now = performance.now();
      const news = hosts.map(({ sshd }, at) => readFileSync(sshd.logFile).subarray(before[at]).toString());
      if (connection === undefined && news.some((text) => CONNECTION.test(text))) connection = now;
      if (news.some((text) => COMMAND.test(text))) return resolve({ connection, command: now });
      if (now > deadline) return reject(new Error('no command came to a host within a minute'));
      setTimeout(look, 1);
    };
    look();
  });
}
