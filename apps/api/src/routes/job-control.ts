import { askDeployment, type ControlOutcome } from '@rexdeploy/shared/deployments/control';
import { ConflictError, NotFoundError } from '@rexdeploy/shared/errors/request-errors';
import { envelope } from '@rexdeploy/shared/journal/envelope';
import { type Control, controlSchema } from '@rexdeploy/shared/journal/events';
import type { FastifyInstance } from 'fastify';
import { settingsOf } from '../answers/frame.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';
import { queueTicket } from '../queue-ticket.js';
import { askRedis } from '../redis/ask.js';

/** `POST /jobs/:id/cancel`, `/hold` and `/resume`. */
export async function jobControlRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, deployments, redis, keys } = parts;
  for (const control of controlSchema.options) {
    app.post<{ Params: { id: string } }>(
      `/jobs/:id/${control}`,
      { config: { access: 'deployer' } },
      async (request, reply) => {
        const { id, name } = await deployments.head(request.params.id);
        const caller = callerOf(request);
        mustAllowName(caller, name);
        const asked = await askRedis(() => askDeployment(redis, keys, { id, name }, control, caller.name));
        if (asked.outcome === 'woken') await queueTicket(parts, id, request.log, asked.ticket);
        if (asked.outcome === 'cancelled' && asked.next !== undefined)
          await queueTicket(parts, asked.next, request.log);
        const { state } = await deployments.find(id);
        refuse(control, asked, id, state.state);
        reply.header('Location', `/jobs/${id}`);
        // Asked for is not done: the owner does it at its next safe point.
        reply.code(asked.outcome === 'asked' || asked.outcome === 'woken' ? 202 : 200);
        return envelope(state, settingsOf(config), Date.now());
      },
    );
  }
}

function refuse(control: Control, { outcome }: ControlOutcome, id: string, state: string): void {
  if (outcome === 'gone') throw new NotFoundError({ what: `there is no job ${id}` });
  // What was asked for is so already.
  if (outcome === 'ended' && control === 'cancel' && state === 'cancelled') return;
  if (outcome === 'ended') {
    throw new ConflictError({ what: `${id} has ended (${state}): there is nothing left to ${control}` });
  }
  if (outcome === 'cancelling') {
    throw new ConflictError({ what: `${id} is being cancelled: there is nothing left to hold` });
  }
  if (outcome === 'not-held') {
    throw new ConflictError({ what: `${id} is ${state} and not held: there is nothing to resume` });
  }
}
