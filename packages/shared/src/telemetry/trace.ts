import { type Attributes, context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { ControlFlow } from '../errors/control-flow.js';

/** Spans of ours. Without `startTelemetry` all of this does nothing. */

const TRACER = 'rexdeploy';

/** The present span as W3C trace context, to be kept where somebody goes on later; undefined outside of any trace. */
export function traceparentNow(): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/**
 * Goes on in the trace of a request. Where the present span is in it already, as after its own ticket, it stays the
 * parent; a worker that was woken in another way gets the request itself.
 */
export function inTrace<T>(traceparent: string | undefined, work: () => T): T {
  if (traceparent === undefined) return work();
  const kept = propagation.extract(ROOT_CONTEXT, { traceparent });
  const [wanted, present] = [trace.getSpanContext(kept), trace.getSpanContext(context.active())];
  return wanted === undefined || wanted.traceId === present?.traceId ? work() : context.with(kept, work);
}

/** Runs work as a span. What it throws is recorded and thrown on; to be put off or taken away is no error. */
export function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return trace.getTracer(TRACER).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ControlFlow) span.setAttribute('rexdeploy.ended_by', error.name);
      else failSpan(error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks the present span as failed. Messages of errors hold no secret. */
export function failSpan(error: unknown): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  const message = error instanceof Error ? error.message : String(error);
  span.recordException({ name: error instanceof Error ? error.name : 'unknown', message });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Adds to the present span. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Notes on the present span that something happened within it. */
export function noteOnSpan(what: string, attributes: Attributes): void {
  trace.getActiveSpan()?.addEvent(what, attributes);
}
