import { maskSecretsIn } from '@rexdeploy/shared/mask';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { pino } from 'pino';

const TOKEN_PARAMETER = /([?&]token=)(?!\d{10}…)[^&]*/g;

/** An address as it may be logged: good tokens are masked, whatever else stands in their place is left out. */
export const loggedUrl = (url: string): string => maskSecretsIn(url).replaceAll(TOKEN_PARAMETER, '$1…');

/** JSON lines on stderr. A request is told by its method and address: no headers, no body. */
export function makeLog(level = 'info'): FastifyBaseLogger {
  const serializers = {
    req: ({ method, url, ip }: FastifyRequest) => ({ method, url: loggedUrl(url), ip }),
  };
  return pino({ name: 'api', level, serializers }, pino.destination(2));
}
