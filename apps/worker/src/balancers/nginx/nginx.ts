import type { ResolvedBalancer, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { healthUrl } from '../../health/url.js';
import { parseFacts } from '../../hosts/answers.js';
import { scripts } from '../../hosts/remote-scripts.js';
import { sshSettings } from '../../hosts/ssh-settings.js';
import type { Balancer, Observed, Rotation, Weights } from '../balancer.js';
import { parseServerLine, type ServerLine, takenOut, weighted } from './server-line.js';

type NginxSettings = Extract<ResolvedBalancer, { type: 'nginx' }>;

/** Beyond nginx's own time-out: for the connection and the script around it. */
const MARGIN_MS = 30_000;

/** nginx, by the instance's `server` line in an upstream file. */
export class NginxBalancer implements Balancer {
  readonly #settings: NginxSettings;
  readonly #instance: ResolvedInstance;
  readonly #connect: (settings: SshSettings) => Promise<Transport>;

  constructor(
    settings: NginxSettings,
    instance: ResolvedInstance,
    connect: (settings: SshSettings) => Promise<Transport>,
  ) {
    this.#settings = settings;
    this.#instance = instance;
    this.#connect = connect;
  }

  get place(): string {
    return `${this.#settings.host}:${this.#settings.upstream_file}`;
  }

  readonly weights: Weights = {
    put: async (found, weight, signal) => {
      await this.#put(found.exact, weighted(found.exact, weight), 0, signal);
    },
    undo: async (found, weight, signal) => {
      await this.#put(weighted(found.exact, weight), found.exact, 0, signal);
    },
  };

  async look(signal: AbortSignal): Promise<Observed> {
    return this.#read(await this.#run(scripts.nginxLook, [this.#settings.upstream_file], 60_000, signal));
  }

  async takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled: boolean; now: Observed }> {
    const answer = await this.#put(found.exact, takenOut(found.exact), this.#settings.settle, signal);
    return { settled: parseFacts(answer).settled !== 'no', now: this.#read(answer) };
  }

  async giveBack(found: Rotation, signal: AbortSignal): Promise<Observed> {
    return this.#read(await this.#put(takenOut(found.exact), found.exact, 0, signal));
  }

  /** Finds the instance among the `server` lines that a script told. */
  #read(answer: string): Observed {
    const lines = answer.split('\n').flatMap((told) => {
      const line = told.startsWith('line\t') ? parseServerLine(told.slice(5)) : undefined;
      return line === undefined ? [] : [line];
    });
    const line = this.#choose(lines.filter((each) => each.host === this.#instance.host));
    return { in: !line.down, exact: line.text, weight: line.weight };
  }

  async #put(from: string, to: string, settleMs: number, signal: AbortSignal): Promise<string> {
    const { upstream_file, timeout } = this.#settings;
    const args = [upstream_file, from, to, String(settleMs), String(Math.ceil(timeout / 1000))];
    return this.#run(scripts.nginxPut, args, 2 * timeout + settleMs + MARGIN_MS, signal);
  }

  async #run(
    script: (typeof scripts)['nginxPut'],
    args: string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string> {
    const transport = await this.#connect(sshSettings(this.#settings.host, this.#settings.login));
    try {
      return (await transport.run(script, args, { signal, timeoutMs })).stdout;
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === null) throw error;
      throw new BalancerError({ where: this.place, what: error.stderrTail.trim() || error.what, cause: error });
    }
  }

  #choose(own: ServerLine[]): ServerLine {
    const { key, host, balancerPort, health } = this.#instance;
    const healthPort = health === undefined ? undefined : portOf(healthUrl(health, this.#instance));
    const port = balancerPort ?? (own.length > 1 ? healthPort : undefined);
    const matching = port === undefined ? own : own.filter((line) => line.port === port);
    const [line] = matching;
    if (line !== undefined && matching.length === 1) return line;
    const address = port === undefined ? host : `${host}:${port}`;
    throw new BalancerError({
      where: this.place,
      what: `${matching.length === 0 ? 'no' : 'more than one'} "server ${address}" line for ${key}`,
      whatToDo: 'write one line for each instance, or set `balancer_port` of the instance',
    });
  }
}

function portOf(url: string): number | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return undefined;
  return parsed.port === '' ? (parsed.protocol === 'https:' ? 443 : 80) : Number(parsed.port);
}
