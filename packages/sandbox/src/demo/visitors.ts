/** Visitors of the site while it is deployed: they notice when an instance is restarted under their hands. */
import { setTimeout as pause } from 'node:timers/promises';
import { httpGet } from '../http-get.js';

const PAUSE_MS = 20;

export interface Visits {
  answered: number;
  failed: number;
}

/** Asks the site again and again until told to stop. */
export function startVisitors(url: string): { stop(): Promise<Visits> } {
  const visits: Visits = { answered: 0, failed: 0 };
  const leave = new AbortController();
  const going = visit(url, visits, leave.signal);
  return {
    stop: async () => {
      leave.abort();
      await going;
      return visits;
    },
  };
}

async function visit(url: string, visits: Visits, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const status = await httpGet(`${url}/`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) visits.answered += 1;
    else visits.failed += 1;
    await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Which version each instance answers through the balancer; asks until `count` instances were met. */
export async function versionsBehind(url: string, count: number): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (let attempt = 0; attempt < 100 && versions.size < count; attempt += 1) {
    const { body } = await httpGet(`${url}/`);
    const [, version = '', instance = ''] = /^version (\S+) instance (\S+)/.exec(body) ?? [];
    if (instance !== '') versions.set(instance, version);
  }
  return versions;
}
