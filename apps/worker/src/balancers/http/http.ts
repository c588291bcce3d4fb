import { setTimeout as pause } from 'node:timers/promises';
import { type HttpRequestSection, type HttpSection, usesWeight } from '@rexdeploy/shared/config/balancer';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import type { Balancer, Observed, Rotation, Weights } from '../balancer.js';
import { lookUntil } from '../look-until.js';
import { servicePort } from '../service-port.js';
import { shownRequest } from './conceal.js';
import { readRotation, weightOf } from './rotation.js';
import { sendRequest } from './send-request.js';
import { fillRequest, type HttpRequest, MissingFact, type TemplateFacts } from './template.js';

/** Any balancer with an HTTP interface, by the requests of the configuration. */
export class HttpBalancer implements Balancer {
  readonly #settings: HttpSection;
  readonly #instance: ResolvedInstance;

  constructor(settings: HttpSection, instance: ResolvedInstance) {
    this.#settings = settings;
    this.#instance = instance;
  }

  get place(): string {
    return shownRequest(this.#settings.look);
  }

  /** By the request for it, else by the one that puts an instance back, where that names the weight. */
  get weights(): Weights | undefined {
    const { weight: section, restore } = this.#settings;
    const [key, request] = section === undefined ? (['restore', restore] as const) : (['weight', section] as const);
    if (section === undefined && !usesWeight(restore)) return undefined;
    return {
      put: async (_found, weight, signal) => {
        const wanted: Rotation = { in: true, exact: `in weight=${weight}` };
        await this.#send(key, request, wanted, signal);
        await this.#wait((now) => now.in && now.exact === wanted.exact, wanted.exact, signal);
      },
      undo: async (found, weight, signal) => {
        if (found.in) await this.giveBack(found, signal);
        else await this.takeOut({ in: true, exact: `in weight=${weight}` }, signal);
      },
    };
  }

  async look(signal: AbortSignal): Promise<Observed> {
    const { look } = this.#settings;
    const rotation = readRotation(await this.#send('look', look, undefined, signal), look);
    if (!('problem' in rotation)) {
      const weight = Number(weightOf(rotation.exact) ?? Number.NaN);
      return Number.isInteger(weight) ? { ...rotation, weight } : rotation;
    }
    throw new BalancerError({ where: this.place, what: rotation.problem });
  }

  async takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled?: boolean }> {
    if (!found.in) return {};
    await this.#send('drain', this.#settings.drain, found, signal);
    await this.#wait((now) => !now.in, 'out of rotation', signal);
    await pause(this.#settings.settle, undefined, { signal });
    return {};
  }

  async giveBack(found: Rotation, signal: AbortSignal): Promise<undefined> {
    if (!found.in) return;
    // Also where it seems to be in rotation: a drain sent a moment ago may not show yet.
    await this.#send('restore', this.#settings.restore, found, signal);
    await this.#wait((now) => now.in && now.exact === found.exact, found.exact, signal);
  }

  async #wait(agrees: (now: Rotation) => boolean, wanted: string, signal: AbortSignal): Promise<void> {
    const { timeout } = this.#settings;
    const { seen, reached } = await lookUntil(() => this.look(signal), agrees, timeout, signal);
    if (reached) return;
    throw new BalancerError({
      where: this.place,
      what: `${this.#instance.key} shall be ${wanted} and is ${seen.exact} after ${timeout} ms`,
      whatToDo: 'compare the requests of `balancer` with the documentation of that interface',
    });
  }

  async #send(
    key: 'look' | 'drain' | 'restore' | 'weight',
    section: HttpRequestSection,
    found: Rotation | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const { key: instance, host } = this.#instance;
    const port = servicePort(this.#instance)?.toString();
    const weight = found === undefined ? undefined : weightOf(found.exact);
    const request = this.#fill(key, section, { instance, host, port, weight });
    return sendRequest(request, [instance, host], this.#settings.timeout, signal);
  }

  #fill(key: string, section: HttpRequestSection, facts: TemplateFacts): HttpRequest {
    try {
      return fillRequest(section, facts);
    } catch (error) {
      if (!(error instanceof MissingFact)) throw error;
      throw new BalancerError({
        where: this.#instance.key,
        what: `\`${key}\` of the balancer names {${error.fact}}, which is not known`,
        whatToDo: error.fact === 'port' ? 'set `balancer_port` of the instance' : 'remove it there',
      });
    }
  }
}
