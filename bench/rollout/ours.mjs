/** One deployment by Rexdeploy, from the request to the job's end. */
import { spawn } from 'node:child_process';
import { forgetPeak, peakRssMiB } from '../lib/processes.mjs';

/** Uploads a tree; not part of what is measured. @returns the package's id */
export async function uploadTree({ client }, name, dir) {
  const tar = spawn('tar', ['-C', dir, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return client.upload(name, 'program.tar', tar.stdout);
}

/** @param {{ name: string, dir: string, idleRate: number, anew: boolean }} what `anew`: no connection is open before */
export async function deployOurs(stand, meters, { name, dir, idleRate, anew }) {
  const { client, workers, fleet } = stand;
  const packageId = await uploadTree(stand, name, dir);
  if (anew) {
    await Promise.all([...fleet.hosts, fleet.lb].map(({ sshd }) => sshd.dropSessions()));
    await meters.quiet();
  }
  for (const { pid } of workers) forgetPeak(pid);
  const read = await meters.start();
  const begun = performance.now();
  const { status, body } = await client.rex({ action: 'deploy', k: name, package: packageId, full: '2', wait: '900' });
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 200 || body.job?.state !== 'succeeded') {
    throw new Error(`the deployment ended as ${status} ${body.job?.state}: ${body.msg ?? body.respon?.stderr ?? ''}`);
  }
  const used = await read();
  const events = await client.events(body.job.id);
  return {
    seconds,
    out: outOfRotation(events),
    ...used,
    controllerCpu: Math.max(0, used.productCpu - idleRate * seconds),
    peakMiB: Math.max(...workers.map(({ pid }) => peakRssMiB(pid))),
    events,
  };
}

/** Seconds from the moment before the balancer is touched to the moment after it was given back, instance by instance. */
export function outOfRotation(events) {
  const drained = new Map();
  const returning = new Set();
  const out = [];
  for (const { type, step, instance, at, facts } of events) {
    if (type === 'step-started' && step === 'drain') drained.set(instance, Date.parse(at));
    const counts = type === 'step-done' && (step === 'restore' ? facts.counts === undefined : step === 'drain');
    if (type === 'step-done' && step === 'restore') returning.add(instance);
    if (!counts) continue;
    // What was given back may count with the next drain only.
    for (const back of returning) out.push((Date.parse(at) - drained.get(back)) / 1000);
    returning.clear();
  }
  return out;
}
