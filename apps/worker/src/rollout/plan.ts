import { releaseStamp } from '@rexdeploy/shared/clock';
import type { ResolvedInstance, ResolvedName } from '@rexdeploy/shared/config/resolved';
import { RexError } from '@rexdeploy/shared/errors/rex-error';
import type { InstancePlan } from '@rexdeploy/shared/journal/events';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';

/**
 * The plan of a deployment: which directories each instance gets. Pure; journaled once, so that a resumed deployment
 * keeps it whatever the configuration says by then.
 * @throws RexError when the configuration lost an instance since the request was accepted
 */
export function makePlan(
  state: DeploymentState,
  name: ResolvedName,
  timezone: string,
): { suffix: string; instances: InstancePlan[] } {
  const suffix = releaseStamp(state.stampMs, timezone);
  const instances = state.request.batches.flat().map((key): InstancePlan => {
    const instance = mustFind(name, key);
    return {
      instance: key,
      host: instance.host,
      programDir: instance.programDir,
      configDir: instance.configDir,
      programRelease: `${instance.programDir}_${suffix}`,
      configRelease: instance.configDir === undefined ? undefined : `${instance.configDir}_${suffix}`,
    };
  });
  return { suffix, instances };
}

/** @throws RexError when the configuration lost the instance since the request was accepted */
export function mustFind(name: ResolvedName, key: string): ResolvedInstance {
  const instance = name.instances.get(key);
  if (instance !== undefined) return instance;
  throw new RexError({
    what: `${key} was accepted as an instance of ${name.k} and is no longer in the configuration`,
    whatToDo: 'send the request again',
  });
}
