import { usesWeight } from './balancer.js';
import type { ResolvedBalancer } from './resolved.js';

/** Can weights be set through this balancer, beyond in and out? */
export function takesWeights(balancer: ResolvedBalancer): boolean {
  switch (balancer.type) {
    case 'nginx':
    case 'haproxy':
      return true;
    case 'command':
      return balancer.weight !== undefined;
    case 'http':
      return balancer.weight !== undefined || usesWeight(balancer.restore);
    case 'none':
      return false;
  }
}
