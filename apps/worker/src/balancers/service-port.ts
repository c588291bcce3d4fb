import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { healthUrl } from '../health/url.js';

/** The port that a balancer sends an instance's requests to: `balancer_port`, else that of its health check. */
export function servicePort(
  instance: Pick<ResolvedInstance, 'key' | 'host' | 'balancerPort' | 'health'>,
): number | undefined {
  if (instance.balancerPort !== undefined || instance.health === undefined) return instance.balancerPort;
  const url = healthUrl(instance.health, instance);
  if (!URL.canParse(url)) return undefined;
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
