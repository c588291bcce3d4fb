import { answer, type refusal } from '@rexdeploy/shared/api/answer';
import type { Envelope, Leaves } from '@rexdeploy/shared/api/envelope-schema';
import type { Config } from '@rexdeploy/shared/config/resolved';
import type { EnvelopeSettings } from '@rexdeploy/shared/journal/envelope';
import { maskSecretsIn, maskToken } from '@rexdeploy/shared/mask';
import { TOKEN } from '@rexdeploy/shared/tokens';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { presentedToken } from '../params/presented-token.js';

type Frame = Parameters<typeof refusal>[0];

/** How answers are written; all of it comes from the config. */
export const settingsOf = (config: Config): EnvelopeSettings => ({
  timezone: config.timezone,
  printStdout: config.api.printStdout,
  directory: config.directory,
});

/** What surrounds every answer. */
export function frameOf(request: FastifyRequest, reply: FastifyReply, config: Config): Frame {
  return { param: shownParams(request), settings: settingsOf(config), takeMs: reply.elapsedTime };
}

/** An answer of a route that is no deployment: `rows` become the documented list. */
export function answerOf(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Config,
  data: { data: Leaves; msg: string; [further: string]: Leaves },
): Envelope {
  return answer(frameOf(request, reply, config), data);
}

/** The parameters as they may be shown and stored. The token is among them, masked, whichever way it came. */
export function shownParams(request: FastifyRequest): Record<string, string> {
  const shown = Object.fromEntries(
    Object.entries(request.received?.values ?? {}).map(([name, value]) => [name, maskSecretsIn(value)]),
  );
  const token = presentedToken(request);
  return token === undefined ? shown : { ...shown, token: TOKEN.test(token) ? maskToken(token) : '…' };
}
