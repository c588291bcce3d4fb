import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { type Receiver, startReceiver } from './support/receiver.js';
import { test } from './support/stand.js';

// Several processes each; on a machine that is busy otherwise they take their time.
vi.setConfig({ testTimeout: 180_000 });

/** A span as it came over the wire (OTLP as JSON), as far as it is looked at. */
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status?: { code?: number; message?: string };
  attributes: { key: string; value: { stringValue?: string } }[];
  service: string;
}

interface Export {
  resourceSpans: {
    resource: { attributes: Span['attributes'] };
    scopeSpans: { spans: Omit<Span, 'service'>[] }[];
  }[];
}

const attribute = ({ attributes }: Pick<Span, 'attributes'>, key: string): string | undefined =>
  attributes.find((each) => each.key === key)?.value.stringValue;

function spansAt(collector: Receiver): Span[] {
  return collector
    .at('/v1/traces')
    .flatMap(({ body }) => (JSON.parse(body) as Export).resourceSpans)
    .flatMap(({ resource, scopeSpans }) =>
      scopeSpans
        .flatMap(({ spans }) => spans)
        .map((span) => ({ ...span, service: attribute(resource, 'service.name') ?? '' })),
    );
}

/** Names from the root to a span. */
function pathTo(span: Span, all: readonly Span[]): string[] {
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent === undefined ? [] : pathTo(parent, all)), span.name];
}

test('one trace leads from the request through the queue to the last step, over a hold and the death of a worker', async ({
  start,
}) => {
  const collector = await startReceiver({ '/v1/traces': () => ({ status: 200, body: '{}' }) });
  onTestFinished(() => collector.close());
  const stand = await start({
    fleet: { app: false, balancer: 'none' },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    config: { worker: { lock: '2s', stalled_check: '500ms' } },
  });
  const { client, workers, addWorker, token } = stand;
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const caller = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  // Before its ticket is there nobody sees it: who looks for what is left alone would send one of his own.
  workers[0]?.freeze();
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' }, caller);
  workers[0]?.thaw();
  const id = accepted.body.job?.id ?? '';
  await expect.poll(async () => (await client.get(`/jobs/${id}`)).body.job?.state, { timeout: 60_000 }).toBe('held');
  const named = (name: string) => spansAt(collector).filter((span) => span.name === name);
  await expect.poll(() => named('deploy server').length, { timeout: 20_000 }).toBe(1);
  await workers[0]?.kill9();
  await addWorker();
  await client.post(`/jobs/${id}/resume`);
  expect((await client.get(`/jobs/${id}?wait=60`)).body.job?.state).toBe('succeeded');
  await expect.poll(() => named('deploy server').length, { timeout: 20_000 }).toBe(2);

  const first = named('deploy server')[0] ?? expect.fail('no span');
  // Each process, and each span that ends, sends in its own time.
  await expect
    .poll(() => pathTo(first, spansAt(collector)))
    .toEqual(['POST /rex', 'add deployments.deploy', 'process deployments', 'deploy server']);
  const all = spansAt(collector);
  const ours = all.filter((span) => span.traceId === traceId);
  // The second worker was woken by another request, and still is in the trace of the first.
  expect(named('deploy server').map((span) => span.traceId)).toEqual([traceId, traceId]);
  for (const [instance, deployments] of [
    ['server1', 1],
    ['server2', 1],
  ] as const) {
    for (const step of ['stage', 'guard', 'drain', 'switch', 'verify', 'restore', 'record']) {
      const found = ours.filter((span) => span.name === step && attribute(span, 'rexdeploy.instance') === instance);
      expect([instance, step, found.length]).toEqual([instance, step, deployments]);
      expect(pathTo(found[0] ?? expect.fail('no span'), all).slice(-3)).toEqual([
        'deploy server',
        `instance ${instance}`,
        step,
      ]);
      expect(found[0]?.service).toBe('rexdeploy-worker');
    }
  }
  expect(new Set(ours.map(({ service }) => service))).toEqual(new Set(['rexdeploy-api', 'rexdeploy-worker']));
  expect(named('deploy server').map((span) => attribute(span, 'rexdeploy.state'))).toEqual(['held', 'succeeded']);

  // A failure is told by the spans that it passed, and ends in a trace of its own.
  await stand.fleet.hostOf('server2').sshd.stop();
  await client.deploy({ k: 'server', senv: 'uat' });
  await expect.poll(() => named('deploy server').length, { timeout: 20_000 }).toBe(3);
  const failed = spansAt(collector).filter(({ status }) => status?.code === 2);
  expect(failed.map(({ name }) => name).sort()).toEqual(['deploy server', 'instance server2', 'stage']);
  expect(failed.find(({ name }) => name === 'stage')?.status?.message).toContain(stand.fleet.instance('server2').host);
  expect(failed[0]?.traceId).not.toBe(traceId);
  // Those who only look begin no trace, and no span holds a token.
  expect(spansAt(collector).filter(({ name }) => name.startsWith('GET'))).toEqual([]);
  expect(collector.at('/v1/traces').some(({ body }) => body.includes(token))).toBe(false);
});

test('without a collector nothing of OpenTelemetry but its interface is loaded', () => {
  const script = `
    import { createRequire } from 'node:module';
    import { startTelemetry } from '@rexdeploy/shared/telemetry/start';
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((file) => /sdk-trace|exporter|bullmq-otel/.test(file)).length;
    const { queues } = await startTelemetry('api', '');
    const before = loaded();
    await startTelemetry('api', 'http://127.0.0.1:1');
    process.stdout.write(JSON.stringify({ queues, before, found: loaded() > 0 }));
    process.exit(0);`;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: _, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: __, ...env } = process.env;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ queues: {}, before: 0, found: true });
});
