import { MAX_WAIT_SECONDS } from '@rexdeploy/shared/api/rollout-params';
import type { FastifyRequest } from 'fastify';

export interface WantedWait {
  seconds: number;
  /** It came as `Prefer: wait=N`, and is confirmed as such. */
  preferred: boolean;
}

const PREFERRED = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])/i;

/** How long the answer may be held: the parameter `wait`, else `Prefer: wait=N` (RFC 7240), which is only a wish. */
export function wantedWait(parameter: string | undefined, request: FastifyRequest): WantedWait {
  if (parameter !== undefined) return { seconds: Number(parameter), preferred: false };
  const { prefer } = request.headers;
  const [, seconds] = PREFERRED.exec(Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '')) ?? [];
  if (seconds === undefined) return { seconds: 0, preferred: false };
  return { seconds: Math.min(Number(seconds), MAX_WAIT_SECONDS), preferred: true };
}
