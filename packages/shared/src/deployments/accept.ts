import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messages } from '../errors/messages.js';
import { KeyReusedError, NameBusyError } from '../errors/request-errors.js';
import { newDeploymentId } from '../ids.js';
import { type DeployRequest, eventSchema } from '../journal/events.js';
import { ACCEPT } from '../journal/scripts.js';
import type { Keys } from '../redis/keys.js';

/** How long an Idempotency-Key is remembered (contract: 24 h). */
const IDEMPOTENCY_SECONDS = 24 * 3600;

export interface Acceptance {
  id: string;
  /** False when an earlier request with the same Idempotency-Key made the deployment. */
  isNew: boolean;
}

/**
 * Creates the deployment's record and journal and takes the name, in one atomic step. The ticket is queued afterwards.
 * @throws NameBusyError naming the deployment that holds the name; KeyReusedError when the key came with another body
 */
export async function acceptDeployment(
  redis: Redis,
  keys: Keys,
  request: DeployRequest,
  idempotencyKey?: string,
): Promise<Acceptance> {
  const id = newDeploymentId();
  const now = Date.now();
  const { stampMs: _, ...event } = eventSchema.parse({
    type: 'accepted',
    at: new Date(now).toISOString(),
    id,
    request,
    stampMs: 0,
  }) as { stampMs: number };
  const body = idempotencyKey === undefined ? '' : digest(JSON.stringify(Object.entries(request.param).sort()));
  const [outcome, owner] = (await ACCEPT.run(
    redis,
    [
      keys.lock(request.name),
      keys.record(id),
      keys.journal(id),
      keys.all,
      keys.ofName(request.name),
      keys.open,
      keys.stamp(request.name),
      keys.idempotency(digest(`${request.by}\0${idempotencyKey ?? ''}`)),
    ],
    [id, request.name, request.action, request.by, now, JSON.stringify(event).slice(1), body, IDEMPOTENCY_SECONDS],
  )) as [string, string, string];
  switch (outcome) {
    case 'accepted':
      return { id, isNew: true };
    case 'same':
      return { id: owner, isNew: false };
    case 'busy':
      throw new NameBusyError({ what: messages.isDeploying(request.name), deploymentId: owner });
    default:
      throw new KeyReusedError({
        what: `the Idempotency-Key was used with another body, for ${owner}`,
        whatToDo: 'use a new key for a new request',
      });
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
