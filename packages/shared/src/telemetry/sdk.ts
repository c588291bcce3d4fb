import { setTimeout as pause } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import type { Telemetry } from './start.js';

/** Longest that spans wait to be sent. */
const SEND_EVERY_MS = 1_000;
/** Longest that the end of the process waits for the last ones. */
const STOP_LIMIT_MS = 2_000;

/** Traces begin with a request: a queue that is asked for work all day long begins none. */
const requestsOnly: Sampler = {
  shouldSample: (_context, _traceId, _name, kind) => ({
    decision: kind === SpanKind.SERVER ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
  }),
  toString: () => 'requestsOnly',
};

/** @param url where traces are sent to; absent = what the variables of OpenTelemetry say */
export function startSdk(service: string, url: string | undefined): Telemetry {
  const exporter = new OTLPTraceExporter(url === undefined ? {} : { url });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': String(process.pid) }),
    sampler: new ParentBasedSampler({ root: requestsOnly }),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: SEND_EVERY_MS })],
  });
  provider.register();
  return {
    queues: { telemetry: new BullMQOtel({ tracerName: 'bullmq' }) },
    stop: async () => {
      await Promise.race([provider.shutdown().catch(() => undefined), pause(STOP_LIMIT_MS, undefined, { ref: false })]);
    },
  };
}
