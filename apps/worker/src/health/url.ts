import type { HealthSection } from '@rexdeploy/shared/config/health';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { request } from 'undici';

/** One look at an instance. */
export interface Observation {
  healthy: boolean;
  /** For people: what was seen. */
  what: string;
}

/** A body is read up to here; `contains` is looked for in that part. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Fills `{host}` and `{instance}` in. */
export function healthUrl(health: HealthSection, instance: Pick<ResolvedInstance, 'host' | 'key'>): string {
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
  return health.url.replaceAll('{host}', host).replaceAll('{instance}', instance.key);
}

/** Asks once. Never throws for what the network or the instance does: that is an observation. */
export async function probe(url: string, health: HealthSection, signal: AbortSignal): Promise<Observation> {
  try {
    // A new connection each time: a kept one could still lead to a process that is gone.
    const limit = AbortSignal.any([signal, AbortSignal.timeout(health.timeout)]);
    const answer = await request(url, { signal: limit, headers: { connection: 'close' }, reset: true });
    const body = await readBody(answer.body);
    if (answer.statusCode !== health.status)
      return bad(`status ${answer.statusCode}, expected ${health.status}: ${brief(body)}`);
    if (!body.includes(health.contains)) return bad(`the body lacks "${health.contains}": ${brief(body)}`);
    return { healthy: true, what: `status ${answer.statusCode}` };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return bad(error instanceof Error ? error.message || error.name : String(error));
  }
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

const bad = (what: string): Observation => ({ healthy: false, what });
const brief = (body: string): string => (body.length > 200 ? `${body.slice(0, 200)}…` : body);
