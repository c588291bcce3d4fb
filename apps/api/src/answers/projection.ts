import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';
import { originalAnswer, type Refusal } from '@rexdeploy/shared/api/original';
import type { Config } from '@rexdeploy/shared/config/resolved';
import type { FastifyRequest } from 'fastify';

export type Style = Config['api']['envelope'];

const ASKED = /;\s*envelope\s*=\s*"?(page|original)"?\s*(?=$|[,;])/i;

/** The types that a client wants: those of the configuration, unless `Accept: application/json; envelope=…` says others. */
export function styleOf(request: FastifyRequest, config: Config): Style {
  const { accept } = request.headers;
  if (accept === undefined) return config.api.envelope;
  const asked = ASKED.exec(accept)?.[1]?.toLowerCase();
  return asked === 'page' || asked === 'original' ? asked : config.api.envelope;
}

/** An answer as it is sent. @param refusal given where it is one */
export function projected(style: Style, answer: Envelope, refusal?: Refusal): unknown {
  return style === 'page' ? answer : originalAnswer(answer, refusal);
}

/** Is it an answer of ours, and not another document such as that of the API's description? */
export const isEnvelope = (payload: unknown): payload is Envelope =>
  payload !== null &&
  typeof payload === 'object' &&
  ['code', 'data', 'param', 'parseparameters', 'respon', 'take'].every((key) => key in payload);
