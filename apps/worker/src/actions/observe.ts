import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import type { ObservedInstance } from '@rexdeploy/shared/journal/events';
import { ownPort } from '../health/proof.js';
import { parseProof } from '../health/proof-answer.js';
import { probe } from '../health/url.js';
import { lookAtLock } from '../hosts/host-lock.js';
import { scripts } from '../hosts/remote-scripts.js';
import { balancerOf, hostOf, type RolloutContext } from '../rollout/context.js';
import { forEachLimited } from '../rollout/limited.js';
import { mustFind } from '../rollout/plan.js';
import { inspectNow, told } from './look.js';

/** Sees how every instance stands: on its host, to its health check, in its balancer. Nothing is changed, nothing fails. */
export async function observeAll(context: RolloutContext): Promise<void> {
  const { journal, name } = context;
  await forEachLimited(journal.state.request.batches.flat(), name.transfer.parallel, async (key) => {
    await journal.append({ type: 'observed', ...(await observeInstance(context, mustFind(name, key))) });
  });
}

async function observeInstance(context: RolloutContext, instance: ResolvedInstance): Promise<ObservedInstance> {
  const { key, health, balancer } = instance;
  const { signal } = context;
  const seen: ObservedInstance = { instance: key, errors: [] };
  const note = async <T>(what: string, look: () => Promise<T>, take: (value: T) => void): Promise<void> => {
    const answer = await told(context, look);
    if ('problem' in answer) seen.errors.push(`${what}: ${answer.problem}`);
    else take(answer.value);
  };
  await note(
    'host',
    () => inspectNow(context, key),
    ({ program, processes }) => {
      seen.linked = program.real;
      seen.processes = processes;
    },
  );
  if (seen.linked !== undefined) {
    const { linked } = seen;
    await note(
      'processes',
      () => whatRuns(context, instance, linked),
      (release) => {
        seen.answering = release;
      },
    );
  }
  await note(
    'lock',
    async () => lookAtLock(await hostOf(context, instance.host, instance.ssh), instance.programDir, signal),
    (lock) => {
      seen.lock = lock === undefined ? undefined : `${lock.deployment} ${lock.worker} ${lock.since}`;
    },
  );
  if (health !== undefined) {
    await note(
      'health',
      () => probe(instance, health, signal),
      ({ healthy, what }) => {
        seen.health = `${healthy ? 'healthy' : 'NOT healthy'}: ${what}`;
      },
    );
  }
  if (balancer.type !== 'none') {
    await note(
      'balancer',
      () => balancerOf(context, instance).look(signal),
      (rotation) => {
        seen.in = rotation.in;
        seen.rotation = rotation.exact.trim();
      },
    );
  }
  return seen;
}

/** The release that the instance's processes come from; undefined where none runs or none tells. */
async function whatRuns(
  context: RolloutContext,
  instance: ResolvedInstance,
  linked: string,
): Promise<string | undefined> {
  const port = ownPort(instance);
  if (instance.process === undefined && port === undefined) return undefined;
  const host = await hostOf(context, instance.host, instance.ssh);
  const args = [instance.programDir, linked, '', instance.process ?? '', String(port ?? '')];
  const { rows } = parseProof((await host.run(scripts.prove, args, { signal: context.signal })).stdout, instance.host);
  const other = rows.find(({ shows }) => shows === 'other');
  if (other !== undefined) return other.cwd || other.evidence;
  return rows.some(({ shows }) => shows === 'release') ? linked : undefined;
}
