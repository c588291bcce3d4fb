/** The documented request, from nothing to the final answer, on a fleet of its own. */
import { join } from 'node:path';
import { createToken, startApi, startWorker } from '../controller.js';
import { type Fleet, startFleet } from '../fleet.js';
import { DEMO_PROGRAM } from '../program.js';
import type { ReleaseStack } from '../release-stack.js';
import { curlLine, type DeployApi, type Envelope, followJob, requestDeployment } from './client.js';
import type { Progress } from './progress.js';
import { startVisitors, versionsBehind } from './visitors.js';

const INSTANCES = 2;
const STOP_GRACE_MS = 10_000;

export interface DemoResult {
  envelope: Envelope;
  api: DeployApi;
}

/** Everything it starts is registered with `releases`; `signal` ends the waiting. */
export async function runDemo(progress: Progress, releases: ReleaseStack, signal: AbortSignal): Promise<DemoResult> {
  progress.say('starting two hosts, a balancer and a package environment');
  const fleet = await startFleet({ instances: INSTANCES, program: DEMO_PROGRAM });
  releases.defer(() => fleet.close());
  signal.throwIfAborted();

  progress.say('starting API and worker');
  const api = await startController(fleet, releases);
  signal.throwIfAborted();

  const site = fleet.nginx?.url ?? '';
  progress.say(`the site is ${site}, its instances run v1; deploying v2`);
  const envelope = await deploy(api, site, progress, releases, signal);
  if (envelope.code === '0') await checkSite(site);
  return { envelope, api };
}

async function startController(fleet: Fleet, releases: ReleaseStack): Promise<DeployApi> {
  const config = fleet.writeConfig();
  const api = await startApi({ config, logFile: join(fleet.dir, 'api.log') });
  releases.defer(() => api.stop(STOP_GRACE_MS));
  const worker = await startWorker({ config, logFile: join(fleet.dir, 'worker.log') });
  releases.defer(() => worker.stop(STOP_GRACE_MS));
  return { url: api.url, token: await createToken(config, 'demo') };
}

async function deploy(
  api: DeployApi,
  site: string,
  progress: Progress,
  releases: ReleaseStack,
  signal: AbortSignal,
): Promise<Envelope> {
  const visitors = startVisitors(site);
  let left = false;
  const leave = async (): Promise<void> => {
    if (left) return;
    left = true;
    const { answered, failed } = await visitors.stop();
    progress.say(`visitors meanwhile: ${answered} answered, ${failed} failed`);
  };
  releases.defer(leave);
  const id = await requestDeployment(api, signal);
  const envelope = await followJob(api, id, (event) => progress.show(event), signal);
  await leave();
  return envelope;
}

async function checkSite(site: string): Promise<void> {
  const versions = await versionsBehind(site, INSTANCES);
  const seen = [...versions].map(([instance, version]) => `${instance} ${version}`).join(', ');
  if (versions.size !== INSTANCES || [...versions.values()].some((version) => version !== 'v2')) {
    throw new Error(`the site should answer v2 from ${INSTANCES} instances, but answers: ${seen || 'nothing'}`);
  }
}

/** What `--keep` leaves on the screen. */
export function keepText({ api }: DemoResult): string {
  return [
    '',
    `dashboard  ${api.url}/`,
    `token      ${api.token}`,
    `again      ${curlLine(api)}`,
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}
