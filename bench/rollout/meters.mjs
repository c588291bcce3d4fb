/** What one deployment costs, read from the system before and after it. */
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuOf, cpuOfMachine, cpuOfTree, processesWith } from '../lib/processes.mjs';

/** How long connections get to end after a deployment, until which the system does not tell their time. */
const CLOSE_MS = 2_000;

export class Meters {
  #stand;
  #sshds;

  constructor(stand) {
    this.#stand = stand;
    const { fleet } = stand;
    this.hosts = [...fleet.hosts, fleet.lb].filter((host) => host !== undefined);
    this.#sshds = this.hosts.map(({ sshd }) => processesWith(sshd.logFile)[0]);
  }

  /** @returns a function that tells what has been used since */
  async start() {
    const carried = await this.#stand.line?.count();
    const sizes = this.hosts.map(({ sshd }) => statSync(sshd.logFile).size);
    const before = this.#cpu();
    return async () => {
      const after = this.#cpu();
      const now = await this.#stand.line?.count();
      const logs = this.hosts.map(({ sshd }, at) => readFileSync(sshd.logFile).subarray(sizes[at]).toString());
      const count = (pattern) => logs.reduce((sum, log) => sum + (log.match(pattern) ?? []).length, 0);
      const [hostCpu, productCpu, redisCpu, machine, own] = after.map((value, at) => value - before[at]);
      return {
        hostCpu,
        productCpu,
        redisCpu,
        otherCpu: Math.max(0, machine - hostCpu - productCpu - redisCpu - own),
        connections: count(/^Accepted publickey/gm),
        execs: count(/^Starting session: command/gm),
        bytesUp: now === undefined ? Number.NaN : now[0] - carried[0],
        bytesDown: now === undefined ? Number.NaN : now[1] - carried[1],
      };
    };
  }

  /** Connections that hosts have; ours rest for a while when they are done. */
  sessions() {
    return this.hosts.reduce((sum, { sshd }) => sum + sshd.sessions().length, 0);
  }

  /** Waits until the hosts have no more connections than that. @returns whether that came */
  async quiet(sessions = 0) {
    const deadline = Date.now() + CLOSE_MS;
    while (this.sessions() > sessions) {
      if (Date.now() > deadline) return false;
      await pause(10);
    }
    return true;
  }

  /** Of API and workers while nothing is asked of them, in seconds a second. */
  async idleRate(forMs = 2_000) {
    const before = this.#product();
    await pause(forMs);
    return (this.#product() - before) / (forMs / 1000);
  }

  #product() {
    const { api, workers } = this.#stand;
    return [api, ...workers].reduce((sum, { pid }) => sum + cpuOf(pid), 0);
  }

  #cpu() {
    const { fleet, redis } = this.#stand;
    const hosts = [...this.#sshds, fleet.nginx.pid].reduce((sum, pid) => sum + cpuOfTree(pid), 0);
    return [
      hosts,
      this.#product(),
      cpuOf(redis.pid),
      cpuOfMachine(),
      process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
    ];
  }
}
