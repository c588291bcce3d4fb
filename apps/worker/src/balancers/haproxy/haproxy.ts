import type { ResolvedHaproxy, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { BalancerError } from '@rexdeploy/shared/errors/deployment-errors';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import type { Balancer, Observed, Rotation, Weights } from '../balancer.js';
import { lookUntil } from '../look-until.js';
import { addressesOf, chooseServer } from './choose-server.js';
import { runtimeSocket, type Send, socketPlace } from './runtime-socket.js';
import { exactOf, parseExact, parseRuntime, type RuntimeState, type ServerState } from './runtime-state.js';

const MAX_WEIGHT = 256;

/**
 * HAProxy, by its runtime API. What it changes is in HAProxy's memory only: after a reload the server is as the
 * configuration file says, so giving back compares with what is there then, and sets what differs.
 */
export class HaproxyBalancer implements Balancer {
  readonly #settings: ResolvedHaproxy;
  readonly #instance: ResolvedInstance;
  readonly #send: Send;

  constructor(
    settings: ResolvedHaproxy,
    instance: ResolvedInstance,
    connect: (settings: SshSettings) => Promise<Transport>,
  ) {
    this.#settings = settings;
    this.#instance = instance;
    this.#send = runtimeSocket(settings.reach, connect, settings.timeout);
  }

  get place(): string {
    return `${socketPlace(this.#settings.reach)} backend ${this.#settings.backend}`;
  }

  readonly weights: Weights = {
    put: async (found, weight, signal) => {
      if (weight > MAX_WEIGHT) throw this.#error(`weight ${weight}: HAProxy knows weights from 0 to ${MAX_WEIGHT}`);
      await this.#set({ state: 'ready', weight, down: parseExact(found.exact)?.down === true }, signal);
    },
    undo: (found, _weight, signal) => this.giveBack(found, signal),
  };

  async look(signal: AbortSignal): Promise<Observed> {
    const server = await this.#server(signal);
    const rotation = { in: isIn(server), exact: exactOf(server), weight: server.weight };
    return server.up === undefined ? rotation : { ...rotation, up: server.up };
  }

  async takeOut(found: Rotation, signal: AbortSignal): Promise<{ settled: boolean }> {
    const server = await this.#server(signal);
    if (found.in) {
      const after = await this.#change(server, [`state drain`], signal);
      if (after.state !== 'drain') throw this.#disagrees(after, 'drain');
    }
    const sessions = async (): Promise<number> => {
      const runtime = await this.#ask([`show stat ${this.#settings.backend} 4 -1`], signal);
      const count = runtime.sessions.get(server.name);
      if (count === undefined) throw this.#error(`tells no sessions of ${server.name}`);
      return count;
    };
    const { reached } = await lookUntil(sessions, (count) => count === 0, this.#settings.settle, signal);
    return { settled: reached };
  }

  async giveBack(found: Rotation, signal: AbortSignal): Promise<undefined> {
    const wanted = parseExact(found.exact);
    if (wanted === undefined) throw this.#error(`"${found.exact}" is no state of a server`);
    await this.#set(wanted, signal);
  }

  async #set(wanted: NonNullable<ReturnType<typeof parseExact>>, signal: AbortSignal): Promise<void> {
    const now = await this.#server(signal);
    // The weight first: a server that is back must not get requests by another one.
    const changes = [
      ...(now.weight === wanted.weight ? [] : [`weight ${wanted.weight}`]),
      ...(now.state === wanted.state ? [] : [`state ${wanted.state}`]),
    ];
    const after = changes.length === 0 ? now : await this.#change(now, changes, signal);
    if (after.state !== wanted.state || after.weight !== wanted.weight) {
      throw this.#disagrees(after, `${wanted.state} weight=${wanted.weight}`);
    }
    if (isIn(after)) await this.#waitUntilUp(after, wanted.down, signal);
  }

  /** In rotation HAProxy sends nothing until its own check agrees: going on earlier could leave no server at all. */
  async #waitUntilUp(server: ServerState, wasDown: boolean, signal: AbortSignal): Promise<void> {
    if (server.up !== false) return;
    const look = (): Promise<ServerState> => this.#server(signal);
    const { seen, reached } = await lookUntil(look, ({ up }) => up !== false, this.#settings.timeout, signal);
    // One whose check had failed before has got back what it had.
    if (reached || wasDown) return;
    throw this.#error(
      `${seen.name} is in rotation, and HAProxy's own check says DOWN after ${this.#settings.timeout} ms`,
      'compare its `check` with the health check of the instance, or give it more `timeout`',
    );
  }

  /** Sets something of a server. @returns the server as it is afterwards */
  async #change(server: ServerState, changes: readonly string[], signal: AbortSignal): Promise<ServerState> {
    const { backend } = this.#settings;
    const commands = changes.map((change) => `set server ${backend}/${server.name} ${change}`);
    const runtime = await this.#ask([...commands, `show servers state ${backend}`], signal);
    const after = runtime.servers.find((each) => each.name === server.name);
    if (after === undefined) throw this.#error(`${server.name} is gone`);
    return after;
  }

  async #server(signal: AbortSignal): Promise<ServerState> {
    const { servers } = await this.#ask([`show servers state ${this.#settings.backend}`], signal);
    const addresses = await addressesOf(this.#instance.host);
    const choice = chooseServer(servers, this.#settings.server, this.#instance, addresses);
    if ('server' in choice) return choice.server;
    throw this.#error(choice.problem, 'set `balancer.server` of the instance, or its `balancer_port`');
  }

  async #ask(commands: readonly string[], signal: AbortSignal): Promise<RuntimeState> {
    const answer = await this.#send(commands, signal);
    const runtime = parseRuntime(answer);
    if (runtime.complaint === '') return runtime;
    if (/permission denied/i.test(runtime.complaint)) {
      throw this.#error(runtime.complaint, 'the stats socket needs "level admin" in HAProxy\'s configuration');
    }
    if (!/can't find backend/i.test(runtime.complaint)) throw this.#error(runtime.complaint);
    const names = (await this.#send(['show backend'], signal)).split('\n').filter((line) => /^[^#\s]/.test(line));
    throw this.#error(`there is no such backend; there are: ${names.join(', ') || 'none'}`);
  }

  #disagrees(server: ServerState, wanted: string): BalancerError {
    const what = `${server.name} shall be ${wanted} and is ${exactOf(server)}`;
    return this.#error(what, 'look for another program that changes this balancer');
  }

  #error(what: string, whatToDo?: string): BalancerError {
    return new BalancerError({ where: this.place, what, whatToDo });
  }
}

const isIn = ({ state, weight }: ServerState): boolean => state === 'ready' && weight > 0;
