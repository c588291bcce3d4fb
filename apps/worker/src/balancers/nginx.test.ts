import { readFileSync, writeFileSync } from 'node:fs';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import { loadConfig } from '@rexdeploy/shared/config/load';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import { afterAll, beforeAll } from 'vitest';
import { describeBalancer } from './balancer.contract.js';
import { createBalancer } from './create.js';

const connections = new Connections();
let fleet: Fleet;
let instance: ResolvedInstance;

beforeAll(async () => {
  fleet = await startFleet({ app: false });
  const found = loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.get('server1');
  if (found === undefined) throw new Error('the fleet has no server1');
  instance = found;
  edit((line) => line.replace(';', ' weight=7;'));
});
afterAll(async () => {
  await connections.closeAll();
  await fleet.close();
});

const driver = (of: ResolvedInstance) => createBalancer(of, (settings) => connections.get(settings));

/** Changes the line of the instance in the upstream file. */
function edit(change: (line: string) => string): void {
  const file = fleet.nginx?.upstreamFile() ?? '';
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.map((line) => (line.includes(`${instance.host}:`) ? change(line) : line)).join('\n'));
}

describeBalancer('nginx', async () => ({
  balancer: driver(instance),
  stranger: driver({ ...instance, host: '10.9.9.9' }),
  strangerError: /no "server 10\.9\.9\.9" line for server1/,
  isIn: async () => fleet.nginx?.upstream().find((line) => line.address === instance.host)?.down === false,
  setByHand: async (inRotation) =>
    edit((line) => (inRotation ? line.replace(' down;', ';') : line.replace(';', ' down;'))),
}));
