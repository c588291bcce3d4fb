import type { Config, ResolvedInstance, ResolvedName, ResolvedSsh } from '@rexdeploy/shared/config/resolved';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstancePlan } from '@rexdeploy/shared/journal/events';
import type { Journal } from '@rexdeploy/shared/journal/journal';
import type { Drained } from '@rexdeploy/shared/journal/ledger';
import type { Connections } from '@rexdeploy/ssh/connections';
import type { Transport } from '@rexdeploy/ssh/transport';
import type { Store } from '@rexdeploy/store/store';
import type { Balancer } from '../balancers/balancer.js';
import { createBalancer } from '../balancers/create.js';
import { fenced, OWNED_MS } from '../hosts/fence.js';
import type { InstanceFacts } from '../hosts/inspect.js';
import { releaseFolder } from '../hosts/release-folder.js';
import { sshSettings } from '../hosts/ssh-settings.js';
import type { History } from './history.js';
import type { Lately } from './lately.js';

/** What one run of a deployment works with. Made once; what happened is never kept here, it is `journal.state`. */
export interface RolloutContext {
  readonly config: Config;
  readonly name: ResolvedName;
  readonly journal: Journal;
  readonly store: Store;
  readonly connections: Connections;
  /** Aborted when this worker lost the deployment or must stop at once. */
  readonly signal: AbortSignal;
  /** Aborted, with CancelAsked, when somebody asked to cancel. */
  readonly cancelled: AbortSignal;
  /** Aborted, with HandBack, when this process was asked to end. */
  readonly leaving: AbortSignal;
  /** May the deployment be left in the middle of an instance? Only where another worker takes it up at once. */
  readonly othersAlive: () => boolean;
  /** Name of this worker and of the installation that it belongs to, for locks on hosts. */
  readonly worker: string;
  readonly controller: string;
  /** What the hashes of dry runs stand for. */
  readonly plans: { keep(hash: string, parts: string): Promise<void>; find(hash: string): Promise<string | undefined> };
  /** The package's address, where the journal has it masked. */
  readonly findAddress: () => Promise<string | undefined>;
  /** What the drain ledger holds of an instance. */
  readonly findDrained: (instance: string) => Promise<Drained | undefined>;
  /** What came before this deployment. */
  readonly history: History;
  readonly lately: Lately;
}

/** The same for one instance. */
export interface InstanceContext extends RolloutContext {
  readonly instance: ResolvedInstance;
  readonly plan: InstancePlan;
  readonly balancer: Balancer;
  /** What was seen of its host and balancer a moment ago, for the staging that comes next. Whatever is tried again looks again. */
  readonly looked?: { facts: InstanceFacts | undefined };
  /** The instance's host; one connection for the whole deployment, opened again when it broke. */
  readonly host: () => Promise<Transport>;
}

const NO_BALANCER = { type: 'none' } as const;

/** @throws RexError when the plan names an instance that the config no longer has */
export function instanceContext(rollout: RolloutContext, key: string): InstanceContext {
  const instance = rollout.name.instances.get(key);
  const plan = rollout.journal.state.plan?.instances.find((row) => row.instance === key);
  if (instance === undefined || plan === undefined) {
    throw new RexError({
      what: `${key} is in the deployment's plan and no longer in the configuration`,
      where: rollout.config.file,
      whatToDo: 'put it back, then deploy again',
    });
  }
  if (plan.host !== instance.host || plan.programDir !== instance.programDir) {
    throw new RexError({
      what: `${key} was planned as ${plan.host}:${plan.programDir} and is configured as ${instance.host}:${instance.programDir} now`,
      where: rollout.config.file,
      whatToDo: 'put it back, then deploy again',
    });
  }
  const place = { ...releaseFolder(plan.programDir), mode: 'hold' as const };
  // A release goes past the balancer: for it the instance has none.
  const seen = rollout.journal.state.request.action === 'release' ? { ...instance, balancer: NO_BALANCER } : instance;
  return {
    ...rollout,
    instance: seen,
    plan,
    balancer: balancerOf(rollout, seen),
    host: async () => fenced(await hostOf(rollout, instance.host, instance.ssh), place, rollout),
  };
}

/** The driver of an instance's balancer, over this deployment's connections, for as long as this worker owns it. */
export function balancerOf(rollout: RolloutContext, instance: ResolvedInstance): Balancer {
  // Controllers that share a balancer's log-in count for themselves; what keeps them apart is the instance's own host.
  const name = `${rollout.controller.slice(0, 8)}-${instance.key}`;
  const place = { folder: '~', name, mode: 'check' as const };
  const { notes, waiting } = rollout.lately;
  const balancer = createBalancer(
    instance,
    async (settings) => fenced(await rollout.connections.get(settings, { signal: rollout.signal }), place, rollout),
    notes,
  );
  const { weights, joins } = balancer;
  return {
    place: balancer.place,
    ...(joins === undefined ? {} : { joins }),
    weights: weights && {
      put: async (found, weight, signal) => {
        await rollout.journal.confirm(OWNED_MS);
        return weights.put(found, weight, signal);
      },
      undo: async (found, weight, signal) => {
        await rollout.journal.confirm(OWNED_MS);
        return weights.undo(found, weight, signal);
      },
    },
    look: (signal, options) => balancer.look(signal, options),
    takeOut: async (found, signal) => {
      await rollout.journal.confirm(OWNED_MS);
      const answer = await balancer.takeOut(found, signal);
      // Its change made all count that waited for one.
      waiting.delete(balancer.place);
      return answer;
    },
    giveBack: async (found, signal, options) => {
      await rollout.journal.confirm(OWNED_MS);
      return balancer.giveBack(found, signal, options);
    },
  };
}

/** Lies the release on its host already, by the plan? */
export const isThere = ({ journal: { state } }: RolloutContext, key: string): boolean =>
  state.plan?.instances.some(({ instance, present }) => instance === key && present === true) ?? false;

/** The deployment's connection to a host. */
export const hostOf = (rollout: RolloutContext, host: string, ssh: ResolvedSsh): Promise<Transport> =>
  rollout.connections.get(sshSettings(host, ssh), { signal: rollout.signal });

/**
 * A place between steps.
 * @param whole nothing is drained or half done here
 * @throws CancelAsked; HandBack
 */
export function safePoint({ cancelled, leaving, othersAlive }: RolloutContext, whole: boolean): void {
  cancelled.throwIfAborted();
  if (leaving.aborted && (whole || othersAlive())) throw leaving.reason;
}
