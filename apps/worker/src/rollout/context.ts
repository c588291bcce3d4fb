import type { Config, ResolvedInstance, ResolvedName, ResolvedSsh } from '@rexdeploy/shared/config/resolved';
import { HandBack } from '@rexdeploy/shared/errors/control-flow';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstancePlan } from '@rexdeploy/shared/journal/events';
import type { Journal } from '@rexdeploy/shared/journal/journal';
import type { Connections } from '@rexdeploy/ssh/connections';
import type { Transport } from '@rexdeploy/ssh/transport';
import type { Store } from '@rexdeploy/store/store';
import type { Balancer } from '../balancers/balancer.js';
import { createBalancer } from '../balancers/create.js';
import { sshSettings } from '../hosts/ssh-settings.js';

/** What one run of a deployment works with. Made once; what happened is never kept here, it is `journal.state`. */
export interface RolloutContext {
  readonly config: Config;
  readonly name: ResolvedName;
  readonly journal: Journal;
  readonly store: Store;
  readonly connections: Connections;
  /** Aborted when this worker lost the deployment or must stop at once. */
  readonly signal: AbortSignal;
  /** True once this process was asked to end. */
  readonly stopping: () => boolean;
}

/** The same for one instance. */
export interface InstanceContext extends RolloutContext {
  readonly instance: ResolvedInstance;
  readonly plan: InstancePlan;
  readonly balancer: Balancer;
  /** The instance's host; one connection for the whole deployment, opened again when it broke. */
  readonly host: () => Promise<Transport>;
}

/** @throws RexError when the plan names an instance that the config no longer has */
export function instanceContext(rollout: RolloutContext, key: string): InstanceContext {
  const instance = rollout.name.instances.get(key);
  const plan = rollout.journal.state.plan?.instances.find((row) => row.instance === key);
  if (instance === undefined || plan === undefined) {
    throw new RexError({
      what: `${key} is in the deployment's plan and no longer in the configuration`,
      where: rollout.config.file,
      whatToDo: 'put it back until the deployment has ended',
    });
  }
  return {
    ...rollout,
    instance,
    plan,
    balancer: balancerOf(rollout, instance),
    host: () => hostOf(rollout, instance.host, instance.ssh),
  };
}

/** The driver of an instance's balancer, over this deployment's connections. */
export const balancerOf = (rollout: RolloutContext, instance: ResolvedInstance): Balancer =>
  createBalancer(instance, (settings) => rollout.connections.get(settings, { signal: rollout.signal }));

/** The deployment's connection to a host. */
export const hostOf = (rollout: RolloutContext, host: string, ssh: ResolvedSsh): Promise<Transport> =>
  rollout.connections.get(sshSettings(host, ssh), { signal: rollout.signal });

/** A place where the deployment may be given back: nothing is drained or half done here. @throws HandBack */
export function safePoint(context: RolloutContext): void {
  if (context.stopping()) throw new HandBack('this worker is stopping');
}
