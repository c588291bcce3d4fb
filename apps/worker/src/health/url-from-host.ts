import type { HealthSection } from '@rexdeploy/shared/config/health';
import type { Transport } from '@rexdeploy/ssh/transport';
import { scripts } from '../hosts/remote-scripts.js';
import { bad, type HealthCheck, type Observation } from './check.js';
import { judgeAnswer, MAX_BODY_BYTES } from './judge-answer.js';
import { runOnHost } from './run-on-host.js';

/** An address that the instance's host asks, e.g. one that listens on its loopback alone. */
export class UrlFromHost implements HealthCheck {
  readonly place: string;
  readonly #url: string;
  readonly #health: HealthSection;
  readonly #connect: () => Promise<Transport>;

  constructor(url: string, health: HealthSection, host: string, connect: () => Promise<Transport>) {
    this.place = `${url} from ${host}`;
    this.#url = url;
    this.#health = health;
    this.#connect = connect;
  }

  async probe(signal: AbortSignal): Promise<Observation> {
    const input = curlConfig(this.#url, this.#health);
    const options = { input, timeout: this.#health.timeout, signal };
    const ended = await runOnHost(this.#connect, scripts.healthUrl, [String(MAX_BODY_BYTES)], options);
    if (!('stdout' in ended)) return ended;
    const end = ended.stdout.indexOf('\n');
    const status = Number(ended.stdout.slice(0, end));
    if (end < 0 || !(status > 0)) return bad('curl told no status');
    return judgeAnswer(this.#health, { status, body: ended.stdout.slice(end + 1) });
  }
}

/** The request as `curl -K` reads it. Like the worker's own: no proxy, no redirection followed. */
function curlConfig(url: string, { headers, timeout }: HealthSection): string {
  const lines = [
    'silent',
    'show-error',
    'globoff',
    'noproxy = "*"',
    `max-time = ${timeout / 1000}`,
    `url = ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `header = ${quoted(`${name}: ${value}`)}`),
  ];
  return `${lines.join('\n')}\n`;
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
