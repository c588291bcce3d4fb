import type { ResolvedBalancer, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import { CommandError } from '@rexdeploy/shared/errors/host-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { healthUrl } from '../../health/url.js';
import { parseFacts } from '../../hosts/answers.js';
import { scripts } from '../../hosts/remote-scripts.js';
import { sshSettings } from '../../hosts/ssh-settings.js';
import type { Balancer, Observed, Rotation, Weights } from '../balancer.js';
import type { Notes } from '../notes.js';
import { parseServerLine, type ServerLine, takenOut, weighted } from './server-line.js';

type NginxSettings = Extract<ResolvedBalancer, { type: 'nginx' }>;

/** Beyond nginx's own time-out: for the connection and the script around it. */
const MARGIN_MS = 30_000;

/** nginx, by the instance's `server` line in an upstream file. */
export class NginxBalancer implements Balancer {
  readonly joins = true;
  readonly #settings: NginxSettings;
  readonly #instance: ResolvedInstance;
  readonly #connect: (settings: SshSettings) => Promise<Transport>;
  readonly #notes: Notes;

  constructor(
    settings: NginxSettings,
    instance: ResolvedInstance,
    connect: (settings: SshSettings) => Promise<Transport>,
    notes: Notes,
  ) {
    this.#settings = settings;
    this.#instance = instance;
    this.#connect = connect;
    this.#notes = notes;
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

  async look(signal: AbortSignal, { withinMs = 0 } = {}): Promise<Observed> {
    // Every answer holds the lines of all instances in the file.
    const about = `lines ${this.place}`;
    if (withinMs > 0) {
      const lately = this.#notes.find(about, withinMs);
      if (lately !== undefined) return this.#read(lately);
      // Nothing is awaited where nobody looks: several that come at once would all find that nobody does.
      const joined = this.#notes.underWay(about);
      const seen = joined && (await joined);
      if (seen !== undefined) return this.#read(seen);
    }
    const looking = this.#run(scripts.nginxLook, [this.#settings.upstream_file, this.#master], 60_000, signal);
    this.#notes.begin(about, looking);
    return this.#read(await looking);
  }

  async takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled: boolean; now: Observed }> {
    const answer = await this.#put(found.exact, takenOut(found.exact), this.#settings.settle, signal);
    return { settled: parseFacts(answer).settled !== 'no', now: this.#read(answer) };
  }

  async giveBack(found: Rotation, signal: AbortSignal, { isFollowed = false } = {}): Promise<Observed> {
    return this.#read(await this.#put(takenOut(found.exact), found.exact, isFollowed ? 'later' : 0, signal));
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

  async #put(from: string, to: string, patience: number | 'later', signal: AbortSignal): Promise<string> {
    const { upstream_file, timeout } = this.#settings;
    const args = [upstream_file, from, to, String(patience), String(Math.ceil(timeout / 1000)), this.#master];
    const settleMs = patience === 'later' ? 0 : patience;
    return this.#run(scripts.nginxPut, args, 2 * timeout + settleMs + MARGIN_MS, signal);
  }

  /** nginx's process, where it was found to use the file; empty until then. */
  get #master(): string {
    return this.#notes.find(`master ${this.place}`, Number.POSITIVE_INFINITY) ?? '';
  }

  async #run(
    script: (typeof scripts)['nginxPut'],
    args: string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string> {
    const transport = await this.#connect(sshSettings(this.#settings.host, this.#settings.login));
    try {
      const { stdout } = await transport.run(script, args, { signal, timeoutMs });
      const { master } = parseFacts(stdout);
      this.#notes.keep(`lines ${this.place}`, stdout);
      if (master !== undefined) this.#notes.keep(`master ${this.place}`, master);
      return stdout;
    } catch (error) {
      this.#notes.forget(`lines ${this.place}`);
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
