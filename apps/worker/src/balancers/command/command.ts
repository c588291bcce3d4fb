import { setTimeout as pause } from 'node:timers/promises';
import type { ResolvedCommand, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { scripts } from '../../hosts/remote-scripts.js';
import { sshSettings } from '../../hosts/ssh-settings.js';
import type { Balancer, Observed, Rotation, Weights } from '../balancer.js';
import { lookUntil } from '../look-until.js';
import { servicePort } from '../service-port.js';
import { runHere } from './run-here.js';

type Verb = 'look' | 'drain' | 'restore' | 'weight';

/** A state is one line of the journal, and goes back to the host in one. */
const MAX_EXACT = 500;
const MAX_SHOWN = 300;
/** `weight 7`, `weight=7` or `weight: 7` in what `look` prints, or nothing but the number. */
const WEIGHT = /(?:\bweight\s*[=:]?\s*(\d{1,9})\b|^(\d{1,9})$)/i;

/** Any balancer, by the commands of the configuration. */
export class CommandBalancer implements Balancer {
  readonly #settings: ResolvedCommand;
  readonly #instance: ResolvedInstance;
  readonly #connect: (settings: SshSettings) => Promise<Transport>;

  constructor(
    settings: ResolvedCommand,
    instance: ResolvedInstance,
    connect: (settings: SshSettings) => Promise<Transport>,
  ) {
    this.#settings = settings;
    this.#instance = instance;
    this.#connect = connect;
  }

  get place(): string {
    return `command on ${this.#settings.reach?.host ?? "the worker's machine"}`;
  }

  get weights(): Weights | undefined {
    if (this.#settings.weight === undefined) return undefined;
    return {
      put: async (found, weight, signal) => {
        await this.#run('weight', found.exact, [0], signal, weight);
        await this.#wait((now) => now.in && now.weight === weight, `in rotation with the weight ${weight}`, signal);
      },
      undo: async (found, _weight, signal) => {
        if (found.in) await this.giveBack(found, signal);
        else await this.takeOut({ in: true, exact: found.exact }, signal);
      },
    };
  }

  async look(signal: AbortSignal): Promise<Observed> {
    const { code, stdout } = await this.#run('look', '', [0, 1], signal);
    const line = (stdout.split('\n', 1)[0] ?? '').trim();
    if (line.length > MAX_EXACT) throw this.#error(`the first line of \`look\` is longer than ${MAX_EXACT} characters`);
    const [, named, bare] = WEIGHT.exec(line) ?? [];
    const weight = named ?? bare;
    return { in: code === 0, exact: line, ...(weight === undefined ? {} : { weight: Number(weight) }) };
  }

  async takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled?: boolean }> {
    if (!found.in) return {};
    await this.#run('drain', found.exact, [0], signal);
    await this.#wait((now) => !now.in, 'out of rotation', signal);
    await pause(this.#settings.settle, undefined, { signal });
    return {};
  }

  async giveBack(found: Rotation, signal: AbortSignal): Promise<undefined> {
    if (!found.in) return;
    // Also where it seems to be in rotation: a drain begun a moment ago may not show yet.
    await this.#run('restore', found.exact, [0], signal);
    const wanted = `in rotation${found.exact === '' ? '' : ` as "${found.exact}"`}`;
    await this.#wait((now) => now.in && now.exact === found.exact, wanted, signal);
  }

  async #wait(agrees: (now: Observed) => boolean, wanted: string, signal: AbortSignal): Promise<void> {
    const { timeout } = this.#settings;
    const { seen, reached } = await lookUntil(() => this.look(signal), agrees, timeout, signal);
    if (reached) return;
    const now = `${seen.in ? 'in' : 'out of'} rotation${seen.exact === '' ? '' : ` as "${seen.exact}"`}`;
    throw this.#error(`${this.#instance.key} shall be ${wanted} and is ${now} after ${timeout} ms`);
  }

  async #run(
    verb: Verb,
    found: string,
    okCodes: readonly number[],
    signal: AbortSignal,
    weight?: number,
  ): Promise<{ code: number; stdout: string }> {
    const { key, host } = this.#instance;
    const facts = [key, host, servicePort(this.#instance)?.toString() ?? '', found, weight?.toString() ?? ''];
    const result = await this.#execute(verb, `${facts.join('\n')}\n${this.#settings[verb]}\n`, signal);
    if (okCodes.includes(result.code)) return result;
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-MAX_SHOWN);
    const what = `\`${verb}\` for ${key} ended with exit code ${result.code}${said === '' ? '' : `: ${said}`}`;
    throw this.#error(what, verb === 'look' ? 'it must end with 0 (in rotation) or 1 (out of it)' : undefined);
  }

  async #execute(
    verb: Verb,
    input: string,
    signal: AbortSignal,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const { reach, timeout } = this.#settings;
    if (reach === undefined) return runHere(scripts.balancerCommand, input, timeout, signal);
    const transport = await this.#connect(sshSettings(reach.host, reach.login));
    const options = { input, timeoutMs: timeout, signal };
    if (verb === 'look') return transport.run(scripts.balancerCommand, [], { ...options, okCodes: EVERY_CODE });
    return transport.run(scripts.balancerChange, [], { ...options, okCodes: OWN_CODES });
  }

  #error(what: string, whatToDo?: string): BalancerError {
    return new BalancerError({ where: this.place, what, whatToDo });
  }
}

/** Which codes are answers depends on the command, and is judged in one place for both machines. */
const EVERY_CODE = Array.from({ length: 256 }, (_, code) => code);
/** What comes from the fence is none of the command's. */
const OWN_CODES = EVERY_CODE.filter((code) => code < 90 || code > 100);
