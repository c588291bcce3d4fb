import type { HealthSection } from '@rexdeploy/shared/config/health';
import type { ResolvedHealth, ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import type { Transport } from '@rexdeploy/ssh/transport';
import { sshSettings } from '../hosts/ssh-settings.js';
import { type Observation, observe } from './check.js';
import { createCheck } from './create.js';
import { linkedRelease, namesRelease, withRelease } from './release-name.js';

/** The check's address with `{host}` and `{instance}` filled in; empty for a command. */
export function healthUrl(
  health: Pick<HealthSection, 'url'>,
  instance: Pick<ResolvedInstance, 'host' | 'key'>,
): string {
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
  return health.url.replaceAll('{host}', host).replaceAll('{instance}', instance.key);
}

/**
 * Asks an instance once, over a connection of its own, or one of `shared`, where its host is needed for that. `{release}` stands for what is
 * linked there: whether it serves is asked, not what.
 */
export async function probe(
  instance: ResolvedInstance,
  health: ResolvedHealth,
  signal: AbortSignal,
  shared?: Connections,
): Promise<Observation> {
  const connections = shared ?? new Connections();
  const connect = async (): Promise<Transport> => {
    if (health.reach === undefined) throw new Error('the log-in to the host is not known');
    return connections.get(sshSettings(health.reach.host, health.reach.login), { signal });
  };
  try {
    const check = namesRelease(health)
      ? withRelease(health, await linkedRelease(await connect(), instance.programDir, signal))
      : health;
    return await createCheck(healthUrl(check, instance), check, connect).probe(signal);
  } catch (error) {
    return observe(error, signal);
  } finally {
    if (shared === undefined) await connections.closeAll();
  }
}
