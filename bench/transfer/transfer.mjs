/**
 * Bringing a release to one host, nothing switched: our staging, as the journal times it, against rsync and against tar
 * over ssh, both over a connection that is open already.
 */
import { existsSync, rmSync } from 'node:fs';
import { rename, symlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { mustRun } from '@rexdeploy/sandbox/command';
import { quote } from '@rexdeploy/ssh/quote';
import { APP_PROGRAM } from '../lib/quick-app.mjs';
import { OURS, startStand } from '../lib/stand.mjs';
import { digits, median, medianRatio } from '../lib/stats.mjs';
import { table, verdict } from '../lib/table.mjs';
import { Tree } from '../lib/tree.mjs';
import { mustBeDeployed } from '../rollout/correct.mjs';
import { Meters } from '../rollout/meters.mjs';
import { deployOurs } from '../rollout/ours.mjs';
import { pruneReleases, wipe } from '../rollout/reset.mjs';

const MIB = 1024 ** 2;
const CASES = {
  cold: { what: '32 MB in 300 files, nothing there', files: 300, sizeBytes: 32 * MIB, cold: true },
  changed: { what: '32 MB in 300 files, 2 % changed', files: 300, sizeBytes: 32 * MIB, changed: 0.02 },
  small: { what: '80 MB in 20,000 files, nothing there', files: 20_000, sizeBytes: 80 * MIB, cold: true },
  'small-changed': { what: '80 MB in 20,000 files, 2 % changed', files: 20_000, sizeBytes: 80 * MIB, changed: 0.02 },
  same: { what: '32 MB in 300 files, the same again', files: 300, sizeBytes: 32 * MIB, changed: 0 },
  large: { what: '1 GiB in 50 files, nothing there', files: 50, sizeBytes: 1024 * MIB, cold: true },
};
const RIVALS = ['rsync', 'tar'];

export const options = { pairs: 'number', cases: 'text' };

export async function run(given, { quick, say }) {
  const pairs = given.pairs ?? (quick ? 1 : 5);
  const chosen = given.cases?.split(',') ?? Object.keys(CASES);
  const figures = [];
  for (const key of chosen) {
    const whole = CASES[key];
    if (whole === undefined) throw new Error(`there is no case ${key}; there are ${Object.keys(CASES).join(', ')}`);
    const size = quick ? { files: Math.max(20, Math.round(whole.files / 32)), sizeBytes: whole.sizeBytes / 32 } : {};
    say(`${key}: ${whole.what}${quick ? ' (in small)' : ''}`);
    const { runs, bytes } = await measureCase({ ...whole, ...size }, pairs, say);
    const seconds = Object.fromEntries(Object.entries(runs).map(([who, list]) => [who, median(list)]));
    const ratios = Object.fromEntries(RIVALS.map((who) => [who, medianRatio(runs.ours, runs[who])]));
    figures.push({ key, what: whole.what, seconds, ratios, bytes, runs });
  }
  const head = ['', 'ours', ...RIVALS, ...RIVALS.map((who) => `÷ ${who}`), 'at most', '', 'MB of content sent'];
  const rows = figures.map(({ what, seconds, ratios, bytes }) => {
    const best = Math.max(...RIVALS.map((who) => ratios[who]));
    const all = ['ours', ...RIVALS].map((who) => digits(seconds[who]));
    return [
      what,
      ...all,
      ...RIVALS.map((who) => ratios[who].toFixed(2)),
      '1.00',
      verdict(best, 1),
      digits(bytes / 1e6),
    ];
  });
  return { text: `Staging on one host, in seconds (${pairs} rounds, medians)\n\n${table(head, rows)}`, figures };
}

async function measureCase(item, pairs, say) {
  const stand = await startStand({ hosts: 1, names: 1 + RIVALS.length });
  try {
    const tree = new Tree(join(stand.fleet.dir, 'tree'), item);
    tree.add('app.pl', APP_PROGRAM, 0o755);
    const control = await openMaster(stand);
    const meters = new Meters(stand);
    const contenders = ['ours', ...RIVALS];
    const runs = Object.fromEntries(contenders.map((who) => [who, []]));
    let bytes;
    for (let round = 0; round <= pairs; round += 1) {
      if (item.cold !== true && round > 0 && item.changed > 0) tree.change(item.changed);
      for (const at of contenders.keys()) {
        const who = contenders[(at + round) % contenders.length];
        const site = who === 'ours' ? OURS : stand.fleet.names[contenders.indexOf(who)].name;
        if (item.cold === true) await wipe(stand, site);
        let seconds;
        if (who === 'ours') {
          const staged = await stageOurs(stand, meters, tree);
          seconds = staged.seconds;
          bytes = staged.bytes;
        } else {
          seconds = await stageByTool(stand, { who, site, tree, control, round });
        }
        if (item.cold === true) await wipe(stand, site);
        else if (who !== 'ours') pruneReleases(stand, site);
        if (round > 0) runs[who].push(seconds);
        say(`  ${round === 0 ? 'warm-up' : `round ${round}`} ${who}: ${seconds.toFixed(3)} s`);
      }
    }
    await mustRun('ssh', ['-F', 'none', '-o', `ControlPath=${control}`, '-O', 'exit', 'host']);
    rmSync(tree.dir, { recursive: true, force: true });
    return { runs, bytes };
  } finally {
    await stand.close();
  }
}

async function stageOurs(stand, meters, tree) {
  const { events } = await deployOurs(stand, meters, { name: OURS, dir: tree.dir, idleRate: 0, anew: false });
  await mustBeDeployed(stand, OURS, tree);
  const done = events.find(({ type, step }) => type === 'step-done' && step === 'stage');
  if (done === undefined) throw new Error('the journal tells of no staging');
  // How much of the files' contents travelled; their headers and lists not counted.
  return { seconds: done.ms / 1000, bytes: done.facts?.bytes };
}

async function openMaster({ fleet }) {
  const [host] = fleet.hosts;
  const control = join(fleet.dir, 'm');
  const words = ['-F', 'none', '-i', host.privateKey, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'];
  words.push('-o', `UserKnownHostsFile=${host.knownHosts}`, '-o', 'Ciphers=aes128-gcm@openssh.com');
  words.push('-o', 'ControlMaster=yes', '-o', `ControlPath=${control}`, '-E', `${control}.log`, '-fN');
  words.push('-p', String(host.sshPort), '-l', userInfo().username, host.address);
  // What goes to the background would keep our pipes open.
  const env = { ...process.env, ...fleet.env };
  await mustRun('sh', ['-c', `ssh ${words.map(quote).join(' ')} > /dev/null 2>&1`], { env });
  return control;
}

async function stageByTool({ fleet }, { who, site, tree, control, round }) {
  const instance = fleet.instances.find((one) => one.name === site);
  const target = `${instance.programDir}_r${round}`;
  const ssh = `ssh -F none -o ControlPath=${control}`;
  const begun = performance.now();
  if (who === 'rsync') {
    const reuse = existsSync(instance.programDir) ? [`--link-dest=${instance.programDir}/`] : [];
    await mustRun('rsync', ['-a', ...reuse, '-e', ssh, `${tree.dir}/`, `host:${target}/`], { timeoutMs: 600_000 });
  } else {
    const there = `mkdir '${target}' && tar -C '${target}' -xf -`;
    const line = `tar -C '${tree.dir}' -cf - . | ${ssh} host "${there}"`;
    await mustRun('bash', ['-o', 'pipefail', '-c', line], { timeoutMs: 600_000 });
  }
  const seconds = (performance.now() - begun) / 1000;
  await mustRun('diff', ['-rq', '--no-dereference', tree.dir, target], { timeoutMs: 600_000 });
  await symlink(target, `${instance.programDir}.new`);
  await rename(`${instance.programDir}.new`, instance.programDir);
  return seconds;
}
