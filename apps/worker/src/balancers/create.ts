import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import type { Balancer } from './balancer.js';
import { CommandBalancer } from './command/command.js';
import { HaproxyBalancer } from './haproxy/haproxy.js';
import { HttpBalancer } from './http/http.js';
import { NginxBalancer } from './nginx/nginx.js';
import { none } from './none.js';
import { Notes } from './notes.js';

/**
 * The driver of an instance's balancer. A type without a driver does not compile.
 * @param notes what drivers of the same deployment know already
 */
export function createBalancer(
  instance: ResolvedInstance,
  connect: (settings: SshSettings) => Promise<Transport>,
  notes = new Notes(),
): Balancer {
  switch (instance.balancer.type) {
    case 'nginx':
      return new NginxBalancer(instance.balancer, instance, connect, notes);
    case 'haproxy':
      return new HaproxyBalancer(instance.balancer, instance, connect);
    case 'http':
      return new HttpBalancer(instance.balancer, instance);
    case 'command':
      return new CommandBalancer(instance.balancer, instance, connect);
    case 'none':
      return none;
  }
}
