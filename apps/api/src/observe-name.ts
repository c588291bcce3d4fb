import type { ResolvedName } from '@rexdeploy/shared/config/resolved';
import { acceptLook } from '@rexdeploy/shared/deployments/accept-free';
import { UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { isTerminal } from '@rexdeploy/shared/journal/state';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { shownParams } from './answers/frame.js';
import { waitForEnd } from './journal/follow.js';
import type { ApiParts } from './parts.js';
import { callerOf } from './plugins/auth.js';
import { queueTicket } from './queue-ticket.js';
import { askRedis } from './redis/ask.js';

const LIMIT_MS = 30_000;

/** Has a worker look at all instances of a name, and waits for it. @throws UnavailableError when none did in time */
export async function observeName(
  parts: ApiParts,
  request: FastifyRequest,
  reply: FastifyReply,
  name: ResolvedName,
): Promise<DeploymentState> {
  const asked = {
    action: 'observe',
    k: name.k,
    name: name.k,
    batches: [[...name.instances.keys()]],
    source: { kind: 'none' as const },
    full: '1' as const,
    dryRun: false,
    sprint: false,
    param: shownParams(request),
    by: callerOf(request).name,
  };
  const id = await askRedis(() => acceptLook(parts.redis, parts.keys, asked));
  await queueTicket(parts, id, request.log);
  const { state } = await waitForEnd(parts, id, request.server.lifeOf(reply, LIMIT_MS));
  if (isTerminal(state.state)) return state;
  throw new UnavailableError({
    what: `no worker has looked at ${name.k} within ${LIMIT_MS / 1000} s (job ${id} is ${state.state})`,
    whatToDo:
      'see whether workers run and have a slot free: GET /readyz; without observe=1 the journals tell what they know',
  });
}
