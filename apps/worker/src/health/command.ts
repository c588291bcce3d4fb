import type { HealthSection } from '@rexdeploy/shared/config/health';
import type { HealthReach } from '@rexdeploy/shared/config/resolved';
import type { Transport } from '@rexdeploy/ssh/transport';
import { scripts } from '../hosts/remote-scripts.js';
import { good, type HealthCheck, type Observation } from './check.js';
import { runOnHost } from './run-on-host.js';

/** A command on the instance's host: healthy when it ends with 0. */
export class CommandOnHost implements HealthCheck {
  readonly place: string;
  readonly #health: HealthSection;
  readonly #reach: HealthReach;
  readonly #connect: () => Promise<Transport>;

  constructor(health: HealthSection, reach: HealthReach, connect: () => Promise<Transport>) {
    this.place = `health command on ${reach.host}`;
    this.#health = health;
    this.#reach = reach;
    this.#connect = connect;
  }

  async probe(signal: AbortSignal): Promise<Observation> {
    const { command, timeout } = this.#health;
    const input = `${this.#reach.instance}\n${this.#reach.host}\n${command}`;
    const args = [String(timeout / 1000)];
    const ended = await runOnHost(this.#connect, scripts.healthCommand, args, { input, timeout, signal });
    return 'stdout' in ended ? good('exit code 0') : ended;
  }
}
