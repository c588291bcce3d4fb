import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import type { JsonObject } from '@rexdeploy/sandbox/merge';
import { type Behaviour, setBehaviour } from '@rexdeploy/sandbox/program';
import { expect } from 'vitest';
import type { StreamedEvent } from './client.js';
import type { Stand } from './stand.js';

/** Sends the deployment of the package of uat. @returns the job's id at once */
export async function startDeployment({ client }: Stand): Promise<string> {
  const accepted = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  expect(accepted.status).toBe(202);
  return accepted.body.job?.id ?? '';
}

/** The same of a release that takes a while to listen, so that there is time to act between its start and its health. */
export function startSlowDeployment(stand: Stand): Promise<string> {
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', { slow: 800 });
  return startDeployment(stand);
}

/** How often the health of each instance is asked for, 50 ms apart, for the config of a stand. */
export const healthAttempts = ({ names }: Fleet, attempts: number): JsonObject => ({
  environments: {
    prod: {
      names: Object.fromEntries(
        names.map(({ name, keys }) => [
          name,
          { instances: Object.fromEntries(keys.map((key) => [key, { health: { attempts } }])) },
        ]),
      ),
    },
  },
});

/** Health that is awaited as long as a busy machine takes, for tests that hold it back. */
export const PATIENT_ATTEMPTS = 600;

/**
 * Apps started from the release that is deployed next do not listen yet: whatever a test does between a start and its
 * health is done by then, however long it takes.
 * @returns lets them listen
 */
export function holdListening({ fleet }: Stand, more: Behaviour = {}, name = 'server'): () => void {
  const gate = join(fleet.dir, `gate-${name}`);
  writeFileSync(gate, '');
  setBehaviour(fleet.uatDirs.get(name)?.programDir ?? '', { ...more, gate });
  return () => rmSync(gate, { force: true });
}

/**
 * Follows a job to its end, and acts once in between.
 * @param moment type, instance and step or mark of the event at which `act` is called, e.g. `step-started server1 drain`;
 *   what is left out at its end may be anything
 * @returns all events
 */
export async function follow(
  { client }: Stand,
  id: string,
  moment: string,
  act: () => Promise<unknown>,
): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  let acted = false;
  for await (const event of client.events(id)) {
    events.push(event);
    if (acted || !isMoment(event, moment)) continue;
    acted = true;
    await act();
  }
  const seen = events.map(({ type, data }) => `${type} ${data.instance ?? ''} ${data.mark ?? data.step ?? ''}`);
  expect(acted, `${moment} among ${seen.join(', ')}`).toBe(true);
  return events;
}

/** What has happened, from the first event to the last. */
export async function journalOf({ client }: Stand, id: string): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of client.events(id)) events.push(event);
  return events;
}

const isMoment = ({ type, data }: StreamedEvent, moment: string): boolean =>
  `${type} ${data.instance} ${data.mark ?? data.step}`.startsWith(moment);
