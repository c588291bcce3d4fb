/** One deployment by a hand-written script, expert.sh. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@rexdeploy/sandbox/command';
import { cpuOf, cpuOfEndedChildren, processesWith } from '../lib/processes.mjs';

const SCRIPT = fileURLToPath(new URL('expert.sh', import.meta.url));

/** @param {'tuned' | 'ahead' | 'tar' | 'careful'} mode */
export async function deployByScript(stand, meters, { mode, name, tree, release }) {
  const { fleet, portOf } = stand;
  const instances = fleet.instances.filter((one) => one.name === name);
  const control = mkdtempSync(join(fleet.dir, 'c'));
  const lines = instances.map((one) => {
    const host = fleet.hostOf(one.key);
    const server = `${one.host}:${one.port}`;
    return [one.key, host.address, portOf(host), one.programDir, one.service, server, `${one.url}/health`].join('\t');
  });
  const before = meters.sessions();
  const read = await meters.start();
  const cpuBefore = cpuOfEndedChildren();
  const begun = performance.now();
  const child = spawn('bash', [SCRIPT, mode, tree.dir, release, tree.version], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...fleet.env,
      LOGIN: userInfo().username,
      KEY: fleet.lb.privateKey,
      KNOWN_HOSTS: fleet.lb.knownHosts,
      CONTROL: control,
      LB_ADDRESS: fleet.lb.address,
      LB_PORT: String(portOf(fleet.lb)),
      UPSTREAM: fleet.nginx.upstreamFile(name),
      NGINX: String(fleet.nginx.pid),
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  // Not 'close': the kept connections may still hold its output.
  const [code] = await once(child, 'exit');
  const seconds = (performance.now() - begun) / 1000;
  const masters = processesWith(control);
  const kept = masters.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const ended = cpuOfEndedChildren() - cpuBefore;
  for (const key of ['lb', ...instances.map((one) => one.key)]) {
    await runCommand('ssh', ['-F', 'none', '-o', `ControlPath=${join(control, key)}`, '-O', 'exit', 'host']);
  }
  await meters.quiet(before);
  const used = await read();
  rmSync(control, { recursive: true, force: true });
  if (code !== 0) throw new Error(`expert.sh ${mode} ended with exit code ${code}: ${stderr.trim()}`);
  return { seconds, out: outOf(stdout), ...used, controllerCpu: ended + kept };
}

function outOf(stdout) {
  const left = new Map();
  const out = [];
  for (const line of stdout.split('\n')) {
    const [what, key, time] = line.split(' ');
    if (what === 'out') left.set(key, Number(time));
    if (what === 'in') out.push(Number(time) - left.get(key));
  }
  return out;
}
