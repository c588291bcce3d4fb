import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { quote } from '@rexdeploy/ssh/quote';

/** The command that starts or stops an instance; empty where there is nothing to start. */
export function serviceCommand({ service }: Pick<ResolvedInstance, 'service'>, verb: 'start' | 'stop'): string {
  if (service === undefined) return '';
  return typeof service === 'string' ? `${quote(service)} ${verb}` : service[verb];
}
