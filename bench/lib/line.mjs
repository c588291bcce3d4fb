/** A slow line between the controller and the hosts: all SSH connections share its delay and its width. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@rexdeploy/sandbox/ports';

const PROGRAM = fileURLToPath(new URL('line-process.mjs', import.meta.url));

/** `20ms,100mbit` */
export function parseLine(text) {
  const match = /^(\d+)ms,(\d+)mbit$/.exec(text);
  if (match === null) throw new Error(`--line takes e.g. 20ms,100mbit (round trip, width), not ${text}`);
  return { rttMs: Number(match[1]), mbit: Number(match[2]) };
}

/**
 * One process of its own, so that it takes no time from who is measured.
 * @param {{ rttMs: number, mbit: number }} line `{ rttMs: 0, mbit: 0 }` delays nothing and only counts
 */
export async function startLine(fleet, { rttMs, mbit }, releases) {
  const hosts = [...fleet.hosts, ...(fleet.lb === undefined ? [] : [fleet.lb])];
  const ports = new Map();
  const ways = [];
  for (const host of hosts) {
    const port = await findFreePort(host.address);
    ports.set(host, port);
    ways.push(`${host.address}:${port}:${host.sshPort}`);
    appendFileSync(host.knownHosts, host.sshd.hostKeys.map((key) => `[${host.address}]:${port} ${key}\n`).join(''));
  }
  const child = spawn(process.execPath, [PROGRAM, String(rttMs), String(mbit), ...ways], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...fleet.env },
  });
  releases.defer(async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the simulated line has ended');
    return value;
  };
  await next();
  return {
    portOf: (host) => ports.get(host),
    /** Bytes carried so far: to the hosts, from the hosts. */
    count: async () => {
      child.stdin.write('count\n');
      return (await next()).split(' ').map(Number);
    },
  };
}
