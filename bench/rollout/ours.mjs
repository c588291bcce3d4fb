/** One deployment by Rexdeploy, from the request to the job's end. */
import { spawn } from 'node:child_process';
import { forgetPeak, peakRssMiB } from '../lib/processes.mjs';
import { OURS } from '../lib/stand.mjs';

/** Uploads a tree; not part of what is measured. @returns the package's id */
export async function uploadTree({ client }, dir) {
  const tar = spawn('tar', ['-C', dir, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return client.upload(OURS, 'program.tar', tar.stdout);
}

export async function deployOurs({ client, workers }, meters, idleRate, packageId) {
  for (const { pid } of workers) forgetPeak(pid);
  const read = await meters.start();
  const begun = performance.now();
  const { status, body } = await client.rex({ action: 'deploy', k: OURS, package: packageId, full: '2', wait: '900' });
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 200 || body.job?.state !== 'succeeded') {
    throw new Error(`the deployment ended as ${status} ${body.job?.state}: ${body.msg ?? body.respon?.stderr ?? ''}`);
  }
  await meters.quiet();
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
  const out = [];
  for (const { type, step, instance, at } of events) {
    if (type === 'step-started' && step === 'drain') drained.set(instance, Date.parse(at));
    if (type === 'step-done' && step === 'restore') out.push((Date.parse(at) - drained.get(instance)) / 1000);
  }
  return out;
}
