import { setTimeout as pause } from 'node:timers/promises';
import type { HttpRequestSection, HttpSection } from '@rexdeploy/shared/config/balancer';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import type { Balancer, Rotation } from '../balancer.js';
import { lookUntil } from '../look-until.js';
import { servicePort } from '../service-port.js';
import { shownRequest } from './conceal.js';
import { readRotation, weightOf } from './rotation.js';
import { sendRequest } from './send-request.js';
import { fillRequest, type HttpRequest, MissingFact, type TemplateFacts } from './template.js';

/** Any balancer with an HTTP interface, by the three requests of the configuration. */
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

  async look(signal: AbortSignal): Promise<Rotation> {
    const { look } = this.#settings;
    const rotation = readRotation(await this.#send('look', look, undefined, signal), look);
    if (!('problem' in rotation)) return rotation;
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
    key: 'look' | 'drain' | 'restore',
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
