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

/** Instances that are looked at together. Somebody waits for the answer, and a host that is silent takes its time. */
const AT_ONCE = 32;

/** Sees how every instance stands: on its host, to its health check, in its balancer. Nothing is changed, nothing fails. */
export async function observeAll(context: RolloutContext): Promise<void> {
  const { journal, name } = context;
  await forEachLimited(journal.state.request.batches.flat(), AT_ONCE, async (key) => {
    await journal.append({ type: 'observed', ...(await observeInstance(context, mustFind(name, key))) });
  });
}

/** What some looks told, and what kept others from telling. */
type Told = Partial<Omit<ObservedInstance, 'instance' | 'errors'>> & { problems?: string[] };

async function observeInstance(context: RolloutContext, instance: ResolvedInstance): Promise<ObservedInstance> {
  const looks = [seeHost(context, instance), seeHealth(context, instance), seeBalancer(context, instance)];
  const { problems: errors = [], ...seen } = (await Promise.all(looks)).reduce(joined);
  return { instance: instance.key, ...seen, errors };
}

const joined = (one: Told, other: Told): Told => ({
  ...one,
  ...other,
  problems: [...(one.problems ?? []), ...(other.problems ?? [])],
});

async function note<T>(context: RolloutContext, what: string, look: () => Promise<T>, take: (value: T) => Told) {
  const answer = await told(context, look);
  return 'problem' in answer ? { problems: [`${what}: ${answer.problem}`] } : take(answer.value);
}

/** One that cannot be reached is asked once. */
async function seeHost(context: RolloutContext, instance: ResolvedInstance): Promise<Told> {
  const { host, ssh, programDir, key } = instance;
  const reached = await told(context, () => hostOf(context, host, ssh));
  if ('problem' in reached) return { problems: [`host: ${reached.problem}`] };
  const stands = await note(
    context,
    'host',
    () => inspectNow(context, key),
    ({ program, processes }): Told => ({ linked: program.real, processes }),
  );
  const { linked } = stands;
  const runs =
    linked === undefined
      ? {}
      : await note(
          context,
          'processes',
          () => whatRuns(context, instance, linked),
          (answering): Told => ({ answering }),
        );
  const isLocked = await note(
    context,
    'lock',
    () => lookAtLock(reached.value, programDir, context.signal),
    (lock): Told => ({ lock: lock === undefined ? undefined : `${lock.deployment} ${lock.worker} ${lock.since}` }),
  );
  return [stands, runs, isLocked].reduce(joined);
}

async function seeHealth(context: RolloutContext, instance: ResolvedInstance): Promise<Told> {
  const { health } = instance;
  if (health === undefined) return {};
  return note(
    context,
    'health',
    () => probe(instance, health, context.signal),
    ({ healthy, what }): Told => ({ health: `${healthy ? 'healthy' : 'NOT healthy'}: ${what}` }),
  );
}

async function seeBalancer(context: RolloutContext, instance: ResolvedInstance): Promise<Told> {
  if (instance.balancer.type === 'none') return {};
  return note(
    context,
    'balancer',
    () => balancerOf(context, instance).look(context.signal),
    (rotation): Told => ({ in: rotation.in, rotation: rotation.exact.trim() }),
  );
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
