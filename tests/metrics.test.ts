import { readFileSync } from 'node:fs';
import { startApi } from '@rexdeploy/sandbox/controller';
import { load } from 'js-yaml';
import { request } from 'undici';
import { expect, onTestFinished, vi } from 'vitest';
import type { StreamedEvent } from './support/client.js';
import { type Family, parseExposition, sampleOf } from './support/exposition.js';
import { heldSwitches, holdSwitches } from './support/gate.js';
import { follow, journalOf, startDeployment } from './support/roll-out.js';
import { type Stand, test } from './support/stand.js';

// Several processes each; on a machine that is busy otherwise they take their time.
vi.setConfig({ testTimeout: 180_000 });

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

async function scrape(url: string, headers: Record<string, string> = {}) {
  const { statusCode, body, headers: answered } = await request(`${url}/metrics`, { headers });
  return { status: statusCode, text: await body.text(), type: String(answered['content-type']) };
}
const familiesAt = async (url: string): Promise<Map<string, Family>> => parseExposition((await scrape(url)).text);

/** How often each step ended in each way, as journals tell. */
function stepsIn(events: readonly StreamedEvent[]): Record<string, number> {
  const outcome: Record<string, string> = {
    'step-done': 'done',
    'step-failed': 'failed',
    'undo-done': 'undone',
    'undo-failed': 'undo-failed',
  };
  const counts: Record<string, number> = {};
  for (const { type, data } of events) {
    const key = outcome[type] === undefined ? undefined : `${data.step} ${outcome[type]}`;
    if (key !== undefined) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const stepsOf = (families: Map<string, Family>): Record<string, number> =>
  Object.fromEntries(
    (families.get('rexdeploy_step_duration_seconds')?.samples ?? [])
      .filter(({ name }) => name.endsWith('_count'))
      .map(({ labels, value }) => [`${labels.step} ${labels.outcome}`, value]),
  );

/** Names of metrics in the expressions of a dashboard or of alert rules, wherever these stand. */
function namesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(namesIn);
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'string' && ['expr', 'query', 'definition'].includes(key)
      ? (value.match(/\b(?:rexdeploy|process|nodejs)_\w+/g) ?? [])
      : namesIn(value),
  );
}

async function deployTwice(stand: Stand): Promise<StreamedEvent[]> {
  const letGo = holdSwitches(stand.fleet);
  const first = await startDeployment(stand);
  // The worker dies in the middle; what the next one goes on with counts once.
  const events = await follow(stand, first, 'step-started server1 switch', async () => {
    const out = sampleOf(await familiesAt(stand.api.url), 'rexdeploy_instances_drained', {
      name: 'server',
      kept: 'false',
    });
    expect(out).toBe(1);
    await stand.workers[0]?.kill9();
    letGo();
    await stand.addWorker();
  });
  await stand.fleet.hostOf('server2').sshd.stop();
  return [...events, ...(await journalOf(stand, await startDeployment(stand)))];
}

test('what was deployed, how it ended and how long each step took is the same at every API process, and right', async ({
  start,
}) => {
  const stand = await start({
    fleet: { app: false },
    config: (fleet) => ({
      api: { metrics: '${REX_METRICS:-token}' },
      worker: { lock: '2s', stalled_check: '500ms' },
      ...heldSwitches(fleet),
    }),
  });
  const other = await startApi({ config: stand.configFile, env: { ...stand.fleet.env, REX_METRICS: 'open' } });
  onTestFinished(() => other.stop());
  const events = await deployTwice(stand);

  const { text, status, type } = await scrape(stand.api.url);
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const here = parseExposition(text);
  const there = await familiesAt(other.url);
  for (const families of [here, there]) {
    const deployments = { name: 'server', action: 'deploy' };
    expect(sampleOf(families, 'rexdeploy_deployments_total', { ...deployments, state: 'succeeded' })).toBe(1);
    expect(sampleOf(families, 'rexdeploy_deployments_total', { ...deployments, state: 'failed' })).toBe(1);
    expect(sampleOf(families, 'rexdeploy_deployments_not_brought_back_total', deployments)).toBe(0);
    expect(stepsOf(families)).toEqual(stepsIn(events));
    expect(sampleOf(families, 'rexdeploy_deployment_duration_seconds_count', { state: 'succeeded' })).toBe(1);
    const retries = { step: 'stage', class: 'connection' };
    expect(sampleOf(families, 'rexdeploy_step_retries_total', retries)).toBe(2);
    expect(sampleOf(families, 'rexdeploy_ssh_errors_total', { class: 'connection' })).toBeGreaterThanOrEqual(3);
  }
  const sent = events.flatMap(({ type, data }) => (type === 'step-done' && data.step === 'stage' ? [data.facts] : []));
  const bytes = sent.reduce((sum: number, facts) => sum + Number((facts as { bytes: number }).bytes), 0);
  expect(bytes).toBeGreaterThan(0);
  expect(sampleOf(here, 'rexdeploy_transferred_bytes_total', { name: 'server' })).toBe(bytes);

  // How things stand now: all is back, one worker lives, and the one that died is told by its silence.
  expect(sampleOf(here, 'rexdeploy_instances_drained', { name: 'server', kept: 'false' })).toBe(0);
  expect(sampleOf(here, 'rexdeploy_instances_drained_oldest_seconds', { name: 'server', kept: 'false' })).toBe(0);
  expect(sampleOf(here, 'rexdeploy_deployments_open', { state: 'running' })).toBe(0);
  expect(sampleOf(here, 'rexdeploy_queue_jobs', { queue: 'deployments', state: 'waiting' })).toBe(0);
  expect(sampleOf(here, 'rexdeploy_workers_alive')).toBeGreaterThanOrEqual(1);
  expect(here.get('rexdeploy_worker_last_seen_seconds')?.samples).toHaveLength(2);
  // Brought to Redis with the worker's sign of life.
  await expect
    .poll(async () => sampleOf(await familiesAt(other.url), 'rexdeploy_journal_append_seconds_count'), {
      timeout: 20_000,
    })
    .toBeGreaterThan(5);
  expect(sampleOf(here, 'rexdeploy_worker_event_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
  // Requests are told by the pattern of their route, each process for itself.
  expect(sampleOf(here, 'rexdeploy_http_request_duration_seconds_count', { route: '/rex', status: '2xx' })).toBe(2);
  expect(text).not.toMatch(/dep-[0-9A-Z]{26}/);
  expect(sampleOf(there, 'rexdeploy_http_request_duration_seconds_count', { route: '/rex' })).toBeUndefined();

  // Dashboard and alerts use nothing that is not there.
  const known = new Set(
    [...here.values()].flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  for (const used of [
    namesIn(JSON.parse(read('deploy/grafana-dashboard.json'))),
    namesIn(load(read('deploy/alerts.yml'))),
  ]) {
    expect(used.length).toBeGreaterThan(8);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  }
  // And the page tells of each what it is.
  const page = read('docs/observability.md');
  const own = [...here.keys()].filter((name) => name.startsWith('rexdeploy_'));
  expect(own.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);

  // Who may read: whoever is on this machine, or has a token.
  const passedOn = { 'x-forwarded-for': '203.0.113.7' };
  expect((await scrape(stand.api.url, passedOn)).status).toBe(401);
  expect((await scrape(`${stand.api.url}`, { ...passedOn, authorization: `Bearer ${stand.token}` })).status).toBe(200);

  expect((await scrape(other.url, passedOn)).status).toBe(200);

  // Without Redis, what the process knows by itself is still there, and says why the rest is not.
  await stand.redis.stop();
  const alone = await familiesAt(stand.api.url);
  expect(sampleOf(alone, 'rexdeploy_redis_up')).toBe(0);
  expect(alone.has('process_resident_memory_bytes')).toBe(true);
  expect(alone.has('rexdeploy_deployments_total')).toBe(false);
  await stand.redis.restart();
});
