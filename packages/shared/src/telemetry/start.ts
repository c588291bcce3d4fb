import type { QueueOptions } from 'bullmq';

/** A process whose spans are sent to a collector. */
export interface Telemetry {
  /** For queues and workers of BullMQ, which carry the trace along with a ticket. */
  readonly queues: Pick<QueueOptions, 'telemetry'>;
  /** Sends what is left. Never throws: a collector that is away is nobody's fault. */
  stop(): Promise<void>;
}

const NONE: Telemetry = { queues: {}, stop: async () => undefined };

/**
 * Begins to send spans where a collector is configured; else nothing is loaded.
 * @param otlp base address of the collector; empty = what the variables of OpenTelemetry say
 */
export async function startTelemetry(service: 'api' | 'worker', otlp: string): Promise<Telemetry> {
  const {
    OTEL_EXPORTER_OTLP_ENDPOINT: base,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole,
    OTEL_SERVICE_NAME,
  } = process.env;
  if (!otlp && !base && !whole) return NONE;
  const { startSdk } = await import('./sdk.js');
  return startSdk(
    OTEL_SERVICE_NAME || `rexdeploy-${service}`,
    otlp === '' ? undefined : `${otlp.replace(/\/+$/, '')}/v1/traces`,
  );
}
