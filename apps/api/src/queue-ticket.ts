import { sendTicket } from '@rexdeploy/shared/queue/tickets';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiParts } from './parts.js';

/** Longest that a queue is waited for once a deployment is accepted. */
const TICKET_LIMIT_MS = 2_000;

/** Once accepted, nothing here may refuse the request: a ticket that could not be sent is sent by a worker later. */
export async function queueTicket(
  { queue }: Pick<ApiParts, 'queue'>,
  id: string,
  log: FastifyBaseLogger,
  ticket = id,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${TICKET_LIMIT_MS} ms`)), TICKET_LIMIT_MS);
    });
    await Promise.race([sendTicket(queue, id, ticket), tooLate]);
  } catch (error) {
    log.warn({ err: error, deploymentId: id }, 'the ticket could not be queued; a worker will do it');
  } finally {
    clearTimeout(timer);
  }
}
