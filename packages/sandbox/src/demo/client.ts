/** The few requests of the demo, made the way any HTTP client would. */
import { eventSchema, type JournalEvent } from '@rexdeploy/shared/journal/events';
import { readEvents } from './server-sent-events.js';

/** The parts of the documented answer that the demo looks at. */
export interface Envelope {
  code: string;
  msg?: string;
  job?: { id: string; state: string };
}

export interface DeployApi {
  url: string;
  token: string;
}

export const REQUEST = { action: 'deploy', k: 'server', senv: 'uat' } as const;

/** Sends the documented request; gives the job's id back. */
export async function requestDeployment(api: DeployApi, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${api.url}/rex?token=${api.token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(REQUEST),
    signal,
  });
  const envelope = (await response.json()) as Envelope;
  if (response.status !== 202 || envelope.job === undefined) {
    throw new Error(`the request was answered with ${response.status}: ${envelope.msg ?? JSON.stringify(envelope)}`);
  }
  return envelope.job.id;
}

/** Follows the job to its end; gives the final answer back. */
export async function followJob(
  api: DeployApi,
  id: string,
  onEvent: (event: JournalEvent) => void,
  signal: AbortSignal,
): Promise<Envelope> {
  const response = await fetch(`${api.url}/jobs/${id}/events?token=${api.token}`, {
    headers: { accept: 'text/event-stream' },
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`the event stream was answered with ${response.status}`);
  for await (const { type, data } of readEvents(response.body)) {
    if (type === 'end') return finalEnvelope(JSON.parse(data));
    const event = eventSchema.safeParse(JSON.parse(data));
    if (event.success) onEvent(event.data);
  }
  throw new Error('the event stream ended before the job did');
}

/** The last event is the answer itself, together with what every event has. */
function finalEnvelope({ type: _, at: __, ...envelope }: Envelope & { type?: string; at?: string }): Envelope {
  return envelope;
}

/** The line for the README and for `--keep`. */
export function curlLine(api: DeployApi): string {
  return `curl -X POST '${api.url}/rex?token=${api.token}' -d '${new URLSearchParams(REQUEST)}'`;
}
